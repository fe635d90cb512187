from pathlib import Path

import pytest

from tests.docs.markdown import PAGES, ROOT, anchors, name_of, relative_links
from watchkeeper.app.setup.project import load_project


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    for link in relative_links(page):
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        assert not anchor or anchor in anchors(target), link


def test_every_page_can_be_reached_from_the_readme() -> None:
    found, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in found or page.suffix != ".md":
            continue
        found.add(page)
        waiting += [(page.parent / link.partition("#")[0]).resolve() for link in relative_links(page)]
    assert sorted(map(name_of, PAGES)) == sorted(map(name_of, found & set(PAGES)))


def test_every_alert_of_the_example_has_a_runbook_and_every_runbook_an_alert() -> None:
    project = load_project(ROOT / "projects/resale_price")
    named = {rule.name for name in project.environments for rule in project.rules(name)}
    named.add("SlaBroken")  # of every promise about an endpoint or its labels
    assert named == {path.stem for path in (ROOT / "docs/runbooks").glob("*.md")}
