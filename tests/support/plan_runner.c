/* SPDX-License-Identifier: Apache-2.0
 *
 * PlanRunner: what model.c does for a bundle, for one GraphDef.
 */
#include "tests/support/plan_runner.h"

#include <string.h>

#include "model/base/message.h"
#include "tests/support/graph_text.h"

#define MAX_NAMES 16

static Error *make_parts(PlanRunner *runner)
{
    *runner = (PlanRunner){ .arena = arena_new(4096, (size_t)1 << 28) };
    runner->run_arena = arena_new(4096, (size_t)1 << 28);
    runner->store = store_new();
    runner->resources = resource_manager_new();
    runner->scratch = scratch_new(1);
    if (runner->arena == NULL || runner->run_arena == NULL || runner->store == NULL ||
        runner->resources == NULL || runner->scratch == NULL)
        return error_out_of_memory();
    return NULL;
}

Error *plan_runner_init(PlanRunner *runner, const char *text)
{
    TRY(make_parts(runner));
    return library_new(graph_from_text(runner->arena, text), &runner->library);
}

Error *plan_runner_init_bytes(PlanRunner *runner, Bytes graph_def)
{
    ProtobufCMessage *message = NULL;
    TRY(make_parts(runner));
    TRY(message_unpack(runner->arena, &tensorflow__graph_def__descriptor, "graph", graph_def.data,
                       graph_def.size, &message));
    return library_new((const Tensorflow__GraphDef *)message, &runner->library);
}

void plan_runner_done(PlanRunner *runner)
{
    plan_retire(runner->plan);
    scratch_free(runner->scratch);
    resource_manager_free(runner->resources);
    store_free(runner->store);
    library_free(runner->library);
    arena_free(runner->run_arena);
    arena_free(runner->arena);
}

static Compiler compiler(const PlanRunner *runner)
{
    return (Compiler){ .library = runner->library,
                       .resources = runner->resources,
                       .store = runner->store,
                       .arena = runner->arena,
                       .as_written = runner->as_written };
}

Error *plan_runner_target(PlanRunner *runner, const char *target)
{
    const Compiler c = compiler(runner);
    const GraphRequest request = { .targets = &target, .n_targets = 1 };
    plan_retire(runner->plan);
    runner->plan = NULL;
    Graph graph;
    TRY(graph_import(c.library, c.arena, &request, &graph));
    TRY(compile_once(&c, &graph, &runner->plan));
    return plan_runner_run(runner, NULL, NULL);
}

/* Splits "a,b" and returns how many there are. */
static size_t split(PlanRunner *runner, const char *text, const char **names)
{
    size_t n = 0;
    while (*text != '\0' && n < MAX_NAMES) {
        size_t size = strcspn(text, ",");
        names[n++] = arena_strndup(runner->arena, text, size);
        text += size + (text[size] == ',');
    }
    return n;
}

Error *plan_runner_compile(PlanRunner *runner, const char *feeds, const char *outputs)
{
    const char **names = arena_calloc(runner->arena, 2 * MAX_NAMES, sizeof *names);
    GraphFeed *graph_feeds = arena_calloc(runner->arena, MAX_NAMES, sizeof *graph_feeds);
    if (names == NULL || graph_feeds == NULL)
        return error_out_of_memory();
    const Compiler c = compiler(runner);
    CompileRequest request = { .name = "test" };
    request.graph.n_feeds = split(runner, feeds, names);
    for (size_t i = 0; i < request.graph.n_feeds; i++)
        graph_feeds[i] = (GraphFeed){ names[i], DT_FLOAT };
    request.graph.feeds = graph_feeds;
    request.graph.outputs = names + MAX_NAMES;
    request.graph.n_outputs = split(runner, outputs, names + MAX_NAMES);
    Graph *graphs = NULL;
    plan_retire(runner->plan);
    runner->plan = NULL;
    TRY(compile_import(&c, 1, &request, &graphs));
    return compile_signatures(&c, 1, &request, graphs, &runner->plan);
}

Error *plan_runner_run(PlanRunner *runner, const Tensor *feeds, Tensor *outputs)
{
    arena_reset(runner->run_arena, SIZE_MAX);
    const PlanRun run = {
        .plan = runner->plan, .feeds = feeds, .scratch = runner->scratch, .arena = runner->run_arena
    };
    return plan_run(&run, outputs);
}

int plan_runner_count(const PlanRunner *runner, const char *op)
{
    int n = 0;
    for (int32_t i = 0; i < runner->plan->n_steps; i++)
        n += op == NULL || strcmp(runner->plan->steps[i].op->name, op) == 0;
    return n;
}
