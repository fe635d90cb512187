"""An incident's page, made when it is asked for: it changes with the records that it is made of."""

from __future__ import annotations

from watchkeeper.app.alerts.incident_records import incident_view
from watchkeeper.app.alerts.incident_stories import find_incident, incident_story
from watchkeeper.app.pages.evidence import distributions
from watchkeeper.app.setup.project import Project
from watchkeeper.core.ports import Store
from watchkeeper.render.incident_page import incident_page


def incident_html(store: Store, project: Project, named: str) -> str:
    """The page of the incident whose id begins so. Raises InputError when it is not one."""
    environment, incident = find_incident(store, project.environments, named)
    story = incident_story(store, environment, incident)
    drawn = [each for execution in story.executions for each in distributions(store, execution)]
    return incident_page(incident_view(story, project.classification), drawn)
