"""The benchmark measures what it says, in both pages; a burst of events loses none."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Playwright
from tests.bench import browsers, sites
from tests.bench.browsers import Visited, visit
from tests.bench.events import BURST, still
from tests.bench.rows import BY_NAME, Row, Samples
from tests.bench.sites import Site, served
from tests.bench.stream import events
from tests.page.backends import KEY, running

pytestmark = pytest.mark.asyncio(loop_scope="session")

JSON_FIELDS = {"name", "unit", "runs", "ours", "baseline", "baseline_name", "ratio", "p99"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def there(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, Site]]:
    """Our page and the twin, served."""
    command = ("emulator", "--port", "0", "--api-key", KEY)
    async with running(*command, folder=tmp_path_factory.mktemp("service")) as program:
        address = await program.says(r"http://\S+")
        async with served({"ours": sites.ours(), "twin": sites.twin()}, address) as pages:
            yield pages


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def quiet(
    playwright: Playwright, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Browser]:
    """A browser in whose microphone nobody speaks."""
    async with browsers.browser(playwright, still(tmp_path_factory.mktemp("still"))) as started:
        yield started


async def calling(quiet: Browser, site: Site) -> tuple[Visited, float]:
    """The page in a call, and how long it took to connect."""
    visited = await visit(await quiet.new_context(), site, "events")
    return visited, await visited.talk()


async def captions(visited: Visited) -> list[str]:
    """What the page shows as said."""
    said = visited.page.locator("#transcript .turn .words")
    return [text.strip() for text in await said.all_inner_texts()]


async def test_both_pages_are_measured_and_do_the_same(
    quiet: Browser, there: dict[str, Site]
) -> None:
    connected, costs, shown = {}, {}, {}
    for name, site in there.items():
        visited, connected[name] = await calling(quiet, site)
        costs[name] = await visited.probe("play(given[0], 5)", events(140))
        shown[name] = await captions(visited)
        assert await visited.stop() < 1000
        await visited.page.context.close()
    assert len(shown["ours"]) >= 4
    assert shown["ours"] == shown["twin"]
    assert all(0 < milliseconds < 10_000 for milliseconds in connected.values())
    for spent in costs.values():
        assert len(spent) == 140
        assert min(spent) >= 0
        # An event that changes the page takes some microseconds, whoever handles it.
        assert 1 < sum(spent) / len(spent) < 100_000

    row = Row(BY_NAME["connect"], Samples([connected["ours"]], [connected["twin"]])).to_json()
    assert row.keys() == JSON_FIELDS
    assert row["ratio"] == pytest.approx(connected["ours"] / connected["twin"], rel=0.01)


async def test_a_burst_loses_nothing(quiet: Browser, there: dict[str, Site]) -> None:
    visited, _ = await calling(quiet, there["ours"])
    await visited.until("document.querySelector('#call').dataset.state === 'listening'")
    texts = events(BURST)
    spent = await visited.probe("play(given[0], given[0].length)", texts)
    print(f"\nburst: {BURST / (sum(spent) / 1e6):,.0f} events a second")

    last = await captions(visited)
    asked = sum('"input_audio_buffer.committed"' in text for text in texts)
    answered = sum('"response.output_item.added"' in text for text in texts)
    assert len(last) == asked + answered
    assert len(set(last)) <= 4  # two whole sentences, and what the last turns have so far

    await visited.page.locator("#details > summary").click()
    # Beside the burst the service itself has spoken: session.created.
    count = visited.page.locator("#events-count")
    await count.filter(has_text=f"of {BURST + 1}").wait_for()
    await visited.stop()
    await visited.page.context.close()
