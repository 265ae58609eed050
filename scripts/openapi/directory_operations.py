"""The requests and answers of the routes of users, organizations and members."""

from __future__ import annotations

from chalicelib.models.directory import OrganizationJSON, StoredUserJSON, UserJSON, UserRolesJSON, UsersJSON
from chalicelib.models.directory_bodies import (
    MirroredOrganization,
    NewUser,
    PatchOrganization,
    Profile,
    PutOrganization,
    PutUser,
    Roles,
)
from chalicelib.models.members import AssignableRoleJSON, MemberJSON, MembersJSON, MemberWithUserJSON
from chalicelib.models.service import LoginTypeJSON, MessageJSON
from scripts.openapi.operation import NOTHING, Body, Link, Operation

_USERS = "/api/v2/users"
_USER = f"{_USERS}/{{user}}"
_ORGANIZATIONS = "/api/v2/organizations"
_ORGANIZATION = f"{_ORGANIZATIONS}/{{organization}}"
_MEMBER = f"{_ORGANIZATION}/members/{{user}}"
_PAGE = ("limit", "offset", "after_id", "count")
_TO_USER = (
    Link(f"GET {_USER}", {"user": "$response.body#/id"}),
    Link(f"PUT {_USER}/status/suspend", {"user": "$response.body#/id"}),
    Link(f"DELETE {_USER}", {"user": "$response.body#/id"}),
)
_TO_ORGANIZATION = (
    Link(f"GET {_ORGANIZATION}", {"organization": "$response.body#/id"}),
    Link(f"GET {_ORGANIZATION}/members", {"organization": "$response.body#/id"}),
    Link(f"DELETE {_ORGANIZATION}", {"organization": "$response.body#/id"}),
)

OPERATIONS = {
    f"GET {_USERS}": Operation({200: UsersJSON}, query=("users", *_PAGE), headers=("Link",)),
    f"POST {_USERS}": Operation(
        {201: UserJSON},
        (404, 409),
        Body(NewUser, example={"username": "marie", "email": "marie@example.com"}),
        links=_TO_USER,
    ),
    f"GET {_USER}": Operation({200: UserJSON}),
    f"PUT {_USER}": Operation(
        {200: StoredUserJSON, 201: StoredUserJSON},
        (409,),
        Body(PutUser, example={"username": "pierre", "email": "pierre@example.com", "status": "active"}),
        links=_TO_USER,
    ),
    f"DELETE {_USER}": Operation({200: MessageJSON}),
    f"GET {_USER}/login-type": Operation({200: LoginTypeJSON}),
    f"GET {_USER}/organizations": Operation({200: list[OrganizationJSON]}),
    f"GET {_USER}/organizations/{{organization}}": Operation({200: OrganizationJSON}),
    f"PUT {_USER}/status/suspend": Operation({200: UserJSON}),
    f"PUT {_USER}/status/activate": Operation({200: UserJSON}),
    f"PUT {_USER}/profile": Operation({200: UserJSON}, (409,), Body(Profile)),
    f"GET {_USERS}/roles": Operation({200: list[AssignableRoleJSON]}),
    f"GET {_USER}/roles": Operation({200: UserRolesJSON}),
    f"PUT {_USER}/roles": Operation({200: UserJSON}, body=Body(Roles, example={"roles": []})),
    f"GET {_ORGANIZATIONS}": Operation({200: list[OrganizationJSON]}),
    f"POST {_ORGANIZATIONS}": Operation(
        {201: OrganizationJSON}, (409,), Body(PutOrganization, example={"name": "curie"}), links=_TO_ORGANIZATION
    ),
    f"GET {_ORGANIZATION}": Operation({200: OrganizationJSON}),
    f"PUT {_ORGANIZATION}": Operation(
        {200: OrganizationJSON, 201: OrganizationJSON},
        (409,),
        Body(MirroredOrganization, example={"name": "radium"}),
        links=_TO_ORGANIZATION,
    ),
    f"PATCH {_ORGANIZATION}": Operation({200: OrganizationJSON}, (409,), Body(PatchOrganization)),
    f"DELETE {_ORGANIZATION}": Operation({200: MessageJSON}),
    f"GET {_ORGANIZATION}/members": Operation({200: list[MemberWithUserJSON]}, query=("members",)),
    f"GET {_ORGANIZATION}/paginated-members": Operation(
        {200: MembersJSON}, query=("paged members", *_PAGE), headers=("Link",)
    ),
    f"GET {_ORGANIZATION}/members/roles": Operation({200: list[AssignableRoleJSON]}),
    f"GET {_MEMBER}": Operation({200: MemberWithUserJSON}),
    f"POST {_MEMBER}": Operation({200: MemberJSON}),
    f"DELETE {_MEMBER}": Operation({204: NOTHING}),
    f"PUT {_MEMBER}/roles": Operation({200: MemberJSON}, body=Body(Roles, example={"roles": []})),
}
