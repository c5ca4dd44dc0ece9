/* SPDX-License-Identifier: Apache-2.0
 *
 * Export: the trained network as a SavedModel (tag "serve", TF1 form) that TensorFlow, TensorFlow
 * Serving and digit-server load.
 *
 *   signature                    input                           outputs
 *   predict, serving_default     image float [-1,28,28,1]        classes int64 [-1]
 *                                                                probabilities float [-1,10]
 *   classify                     inputs string [-1]: serialized  classes string [-1,10], "0".."9"
 *                                tf.Examples, feature `image`:   scores float [-1,10], both with
 * the 784 raw grey bytes              best first
 *
 * The range of `image`: the network learns pixels in 0..1, while the client of the tutorial that
 * this grew from sends 0..255. The graph takes both: an image whose largest pixel is over 1 is
 * divided by 255, any other is taken as it is. The rule is applied to each image by itself, so a
 * batch may mix the two. The one image that it misreads is of the 0..255 kind with no pixel over 1,
 * which is black to the eye.
 */
#ifndef DIGIT_TRAIN_EXPORT_H
#define DIGIT_TRAIN_EXPORT_H

#include "train/net.h"

/* Writes EXPORT_DIR/VERSION; it appears whole or not at all. Errors as saved_model_write. */
Error *export_saved_model(Net *net, const char *export_dir, int64_t version) _warn_unused_result_;

#endif
