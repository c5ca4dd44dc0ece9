/* SPDX-License-Identifier: Apache-2.0
 *
 * Feed: any tensor of a graph may be given from outside, not only a placeholder's: a node of its own
 * then stands for that output, and what would have computed it is not reached.
 */
#include "model/graph/feed.h"

static const Attrs no_attrs;

Error *feed_add(ScopeTree *tree, Scope *main, Graph *graph, const GraphRequest *request,
                int position)
{
    const GraphFeed *feed = &request->feeds[position];
    Bytes name;
    Site *site = NULL;
    SiteFeed *site_feed = arena_calloc(tree->arena, 1, sizeof *site_feed);
    DType *dtype = arena_calloc(tree->arena, 1, sizeof *dtype);
    if (site_feed == NULL || dtype == NULL)
        return error_out_of_memory();
    TRY(split_tensor_name(feed->tensor_name, &name, &site_feed->output));
    if (body_find(library_main(tree->library), name) == NULL)
        return error_new(ERROR_NOT_FOUND, "FeedInputs: unable to find feed output %s",
                         feed->tensor_name);
    TRY(scope_site(tree, main, name, &site));
    for (const SiteFeed *other = site->feeds; other != NULL; other = other->next)
        if (other->output == site_feed->output)
            return error_new(ERROR_INVALID_ARGUMENT, "Endpoint \"%s\" fed more than once.",
                             feed->tensor_name);
    TRY(error_prefix(scope_output_dtype(tree, site, site_feed->output, dtype), "node '%s'",
                     site->def->name));
    if (*dtype == DT_INVALID)
        *dtype = feed->dtype;
    TRY(graph_add(graph, site->def->name, NULL, &no_attrs, 0, 0, &site_feed->node));
    site_feed->node->feed = position;
    site_feed->node->n_outputs = 1;
    site_feed->node->output_dtypes = dtype;
    site_feed->next = site->feeds;
    site->feeds = site_feed;
    graph->feeds[position] = site_feed->node;
    return NULL;
}
