import asyncio

from spawner.phases import PHASES, Phases


async def test_every_page_hears_every_phase_in_order():
    """Pages that listen at different speeds are told the same phases, and both end."""
    phases = Phases()

    async def listen(pause_s: float) -> list[str]:
        heard = []
        async for event in phases.listen():
            heard.append(event["phase"])
            await asyncio.sleep(pause_s)
        return heard

    listeners = [asyncio.create_task(listen(pause_s)) for pause_s in (0, 0.003, 0.01)]
    for phase in PHASES:
        phases.tell(phase)
        await asyncio.sleep(0.002)
    assert await asyncio.gather(*listeners) == [list(PHASES)] * 3


def test_progress_only_grows():
    """Within each way of starting, the percentages never fall."""
    percents = [percent for percent, _ in PHASES.values()]
    assert percents == sorted(percents)
