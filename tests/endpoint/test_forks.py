"""A forked child is a process of its own: new name, new counts, new port; its parent goes on undisturbed."""

from __future__ import annotations

from collections.abc import Callable

from endpoint.programs import Program, Scrape, port, scrape

Run = Callable[..., Program]

FORKS = """
import gc, multiprocessing, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # a fork beside threads is what we are about
OpenRouterInstrumentor().instrument()
with usage_context() as usage:
    ask(user="parent")
    stream = ask("good;chunks=6", stream=True, user="streaming")
next(stream)

def child():
    global stream
    del stream
    gc.collect()
    with usage_context() as mine:
        ask(client=new_client(), user="child")
        ask(client=new_client(), user="child")
    say(["child", mine.requests])
    hear()

def idle():
    pass

pid = os.fork()
if pid == 0:
    child()
    sys.exit(0)  # through the interpreter's own end: handlers run
hear()  # both listen: two lines let both go on

quiet = multiprocessing.get_context("fork").Process(target=idle)
quiet.start()
quiet.join(10)
for _ in stream:
    pass
say(["parent", usage.requests, quiet.exitcode])
hear()
_, status = os.waitpid(pid, 0)
say(["ended", os.waitstatus_to_exitcode(status)])
hear()
"""


def test_a_forked_child_counts_for_itself_and_its_parent_goes_on(run: Run, host: str) -> None:
    program = run(FORKS)
    assert program.hear() == ["child", 2]

    # The child: at the next port, under a new name, with nothing of its parent's.
    parent_address, child_address = program.addresses
    assert (port(parent_address), port(child_address)) == (9464, 9465)
    parent, child = scrape(parent_address), scrape(child_address)
    assert parent.process != child.process
    assert child.total("openrouter_requests_total") == child.total("openrouter_requests_total", user="child") == 2
    assert child.total("openrouter_request_duration_seconds_count") == 2
    assert child.total("openrouter_otel_build_info") == 1
    assert child.total("openrouter_process_start_time_seconds") >= parent.total("openrouter_process_start_time_seconds")

    # The parent: still at its port, and the only one that counts the stream that was open at the fork.
    program.go_on()
    program.go_on()
    assert program.hear() == ["parent", 2, 0]
    after = scrape(parent_address)
    assert after.process == parent.process
    assert after.total("openrouter_requests_total", outcome="ok", user="streaming") == 1
    assert after.total("openrouter_requests_total") == 2
    assert len(program.addresses) == 2  # the child that made no call took no port

    # The child ended by itself, with its handlers, and nobody hung.
    program.go_on()
    assert program.hear() == ["ended", 0]
    program.go_on()
    assert program.end() == 0
    assert program.lines("WARNING") + program.lines("ERROR") == []
    assert "Traceback" not in program.log


OWN_PROVIDER = """
import multiprocessing, warnings
warnings.simplefilter("ignore", DeprecationWarning)
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import CollectorRegistry, generate_latest
registry = CollectorRegistry()
metrics.set_meter_provider(MeterProvider([metrics_reader(registry)]))
OpenRouterInstrumentor().instrument()
ask(user="parent")

def child(queue):
    nothing = generate_latest(registry).decode()
    ask(client=new_client(), user="child")
    queue.put([nothing, generate_latest(registry).decode()])

context = multiprocessing.get_context("fork")
queue = context.Queue()
worker = context.Process(target=child, args=(queue,))
worker.start()
told = queue.get(timeout=15)
worker.join(15)
say([*told, generate_latest(registry).decode(), worker.exitcode])
"""


def test_a_child_repeats_nothing_of_its_parents_on_an_own_provider_either(run: Run) -> None:
    program = run(OWN_PROVIDER)
    *texts, status = program.hear()
    nothing, child, parent = map(Scrape, texts)

    assert status == 0
    assert nothing.total("openrouter_requests_total") == 0
    assert child.total("openrouter_requests_total") == child.total("openrouter_requests_total", user="child") == 1
    assert child.total("openrouter_request_duration_seconds_count") == 1
    assert parent.total("openrouter_requests_total") == parent.total("openrouter_requests_total", user="parent") == 1
    assert child.process == nothing.process != parent.process
    assert program.end() == 0
