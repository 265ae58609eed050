"""Every filter of the directory alone reads the rows that it returns, whoever asks and however many there are."""

from __future__ import annotations

import pytest

from bench import budgets
from bench.measures import directory
from bench.measures.directory import ADMINISTRATOR_ROLE, OWNER_ROLE, SIZES, Cost, Places
from bench.platform_objects import PART, ids_of, parts
from bench.platform_questions import DAEMONS, JOBS, QUESTIONS, TEMPLATES, WORKSPACES, List, Question
from bench.service import Service
from chalicelib.platform import jobs
from chalicelib.search.platform_filters import TEMPLATE_FILTERS, WORKSPACE_FILTERS
from chalicelib.search.user_filters import UserTable
from scripts.openapi.operations import OPERATIONS
from scripts.openapi.parameters import QUERY

EVERY_DAEMON = next(question for question in QUESTIONS if question.of is DAEMONS and not question.filter)


def named(question: Question) -> str:
    return f"{question.of.kind} {question.name}"


ASKED = [pytest.param(question, id=named(question)) for question in QUESTIONS]


@pytest.fixture(scope="module")
def costs(service: Service) -> Places:
    return directory.by_place(directory.costs(service))


def of_question(costs: Places, question: Question) -> list[Cost]:
    return [cost for (asked, _, _), cost in costs.items() if asked is question]


@pytest.mark.parametrize(("of", "language"), [(TEMPLATES, TEMPLATE_FILTERS), (WORKSPACES, WORKSPACE_FILTERS)])
def test_every_key_of_a_language_is_asked(of: List, language: UserTable) -> None:
    assert {*of.values} == {"", *(key.key for key in language.keys)}


@pytest.mark.parametrize("of", [JOBS, DAEMONS], ids=lambda of: of.kind)
def test_every_parameter_is_asked(of: List) -> None:
    declared = {QUERY[name].name or name for name in OPERATIONS[f"GET {of.route}"].query}
    assert {*of.values} - {"limit"} == declared - {"limit", "after_id"} | {""}


@pytest.mark.parametrize("word_lists", [(TEMPLATES, TEMPLATE_FILTERS), (WORKSPACES, WORKSPACE_FILTERS)])
def test_every_word_of_a_closed_list_is_asked_alone(word_lists: tuple[List, UserTable]) -> None:
    of, language = word_lists
    for key in language.keys:
        assert {*key.words} <= {*of.values[key.key]}, key.key


@pytest.mark.parametrize("question", ASKED)
def test_a_question_matches_a_part_of_what_there_is(costs: Places, question: Question) -> None:
    for size in SIZES:
        returned = costs[question, OWNER_ROLE, size].returned
        assert returned == 0 if question.is_empty else returned >= PART, size


@pytest.mark.parametrize("question", ASKED)
def test_a_filter_reads_the_rows_that_it_returns_and_no_more_when_the_others_double(
    costs: Places, question: Question
) -> None:
    small, large = (costs[question, OWNER_ROLE, size] for size in SIZES)
    for cost in (small, large):
        assert budgets.DIRECTORY_ROWS_PER_ROW.kept(cost.per_row), cost
    assert large.most - small.most == large.returned - small.returned


@pytest.mark.parametrize("question", ASKED)
def test_an_answer_of_as_many_rows_takes_as_many_calls_when_the_others_double(
    costs: Places, question: Question
) -> None:
    small, large = (costs[question, OWNER_ROLE, size] for size in SIZES)
    more = large.returned - small.returned
    # The agents of a workspace and the last job of a daemon are a call each; all else is a hundred a call.
    assert large.calls - small.calls <= (more + 2 if more else 0)


@pytest.mark.parametrize("question", ASKED)
def test_who_may_read_a_part_reads_what_the_filter_matches_or_that_part(costs: Places, question: Question) -> None:
    measured = [cost for cost in of_question(costs, question) if cost.role != OWNER_ROLE]
    roles = 1 if question.of in (JOBS, DAEMONS) else 2
    assert len(measured) == roles * len(SIZES)
    for cost in measured:
        assert budgets.DIRECTORY_ROWS_OF_A_PART.kept(directory.ratio(cost, costs)), cost


@pytest.mark.parametrize("question", ASKED)
def test_a_few_rows_are_read_beside_a_row_for_its_answer(costs: Places, question: Question) -> None:
    for cost in of_question(costs, question):
        assert budgets.DIRECTORY_ROWS_BESIDE_A_ROW.kept(cost.beside_a_row), cost


@pytest.mark.parametrize("question", ASKED)
def test_the_queue_and_who_could_take_its_jobs_are_read_once(costs: Places, question: Question) -> None:
    waiting = sum(jobs.queue_rank(one) is not None for one in parts("") if one["kind"] == JOBS.kind)
    for cost in of_question(costs, question):
        online = costs[EVERY_DAEMON, OWNER_ROLE, cost.size].returned
        assert cost.queue in (0, waiting)
        assert cost.able in (0, online)


@pytest.mark.parametrize("question", ASKED)
def test_notes_of_which_values_there_are_stay_as_many_when_the_others_double(costs: Places, question: Question) -> None:
    by_role: dict[str, set[int]] = {}
    for cost in of_question(costs, question):
        by_role.setdefault(cost.role, set()).add(cost.notes)
    assert all(len(numbers) == 1 for numbers in by_role.values())


@pytest.mark.parametrize("question", ASKED)
def test_the_line_of_a_request_says_the_rows_that_were_read(costs: Places, question: Question) -> None:
    for cost in of_question(costs, question):
        assert cost.noted == cost.rows + cost.by_id, cost


PART_OF = {
    (TEMPLATES.kind, "exact_name"): "exact_name",
    (TEMPLATES.kind, "exact_display_name"): "exact_display_name",
    (TEMPLATES.kind, "name"): "name",
    (TEMPLATES.kind, "display_name"): "display_name",
    (TEMPLATES.kind, "author_id"): "author",
    (TEMPLATES.kind, "has_external_agent"): "external",
    (TEMPLATES.kind, "deprecated"): "deprecated",
    (TEMPLATES.kind, "deleted"): "deleted",
    (WORKSPACES.kind, "name"): "name",
    (WORKSPACES.kind, "template"): "template",
    (WORKSPACES.kind, "has_external_agent"): "external",
    (WORKSPACES.kind, "has-agent"): "",
    (WORKSPACES.kind, "dormant"): "dormant",
    (WORKSPACES.kind, "outdated"): "outdated",
    (WORKSPACES.kind, "deleted"): "deleted",
    (WORKSPACES.kind, "last_used_after"): "lately",
    (WORKSPACES.kind, "last_used_before"): "long ago",
    (JOBS.kind, "tags"): "tags",
    (DAEMONS.kind, "max_age"): "fresh",
    (DAEMONS.kind, "tags"): "tags",
}
"""A filter -> the part that it finds with its first value; "" for the part that is called like the value."""


OF_A_PART = [
    pytest.param(question, part or question.text, id=named(question))
    for question in QUESTIONS
    if question.text not in ("false", "connected")
    for part in [PART_OF.get((question.of.kind, question.filter))]
    if part is not None
]


@pytest.mark.parametrize(("question", "part"), OF_A_PART)
def test_a_filter_finds_its_part(costs: Places, question: Question, part: str) -> None:
    for size in SIZES:
        assert costs[question, OWNER_ROLE, size].ids == ids_of(question.of.kind, part)


OVER_THE_DEPLOYMENT = {
    (TEMPLATES.kind, "ids"),
    *((WORKSPACES.kind, key) for key in ("id", "template", "outdated", "last_used_after", "last_used_before")),
}
"""Filters whose lanes know no organization: others' objects are read in vain, or the filter is not looked up there."""


WITHIN_AN_ORGANIZATION = [
    pytest.param(question, id=named(question))
    for question in QUESTIONS
    if (question.of.kind, question.filter) not in OVER_THE_DEPLOYMENT
]


@pytest.mark.parametrize("question", WITHIN_AN_ORGANIZATION)
def test_an_administrator_of_an_organization_reads_what_is_returned(costs: Places, question: Question) -> None:
    for size in SIZES:
        cost = costs[question, ADMINISTRATOR_ROLE, size]
        assert budgets.DIRECTORY_ROWS_PER_ROW.kept(cost.per_row), cost
