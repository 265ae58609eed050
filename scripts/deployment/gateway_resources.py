"""The API as CloudFormation resources: what API Gateway answers by itself, limits, access log, and a domain."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from chalicelib.api.http import RESPONSE_HEADERS
from chalicelib.settings import Settings
from scripts.deployment.stages import Stage
from scripts.gateway.refusals import OTHERS, REFUSALS

_ACCESS_LOG = {
    "request_id": "$context.requestId",
    "time": "$context.requestTimeEpoch",
    "method": "$context.httpMethod",
    "route": "$context.resourcePath",
    "status": "$context.status",
    "failure": "$context.error.responseType",
    "milliseconds": "$context.responseLatency",
    "function_milliseconds": "$context.integrationLatency",
    "bytes": "$context.responseLength",
    "ip": "$context.identity.sourceIp",
    "trace": "$context.xrayTraceId",
}
"""Neither path nor query string: a token may be in the one, and ids of tokens are in the other."""


def gateway_answers(settings: Settings) -> dict[str, Any]:
    """The API definition's part about answers of the gateway itself.

    In the definition and not as resources of their own, because only so are they in the first deployment of the API.
    """
    headers = {**RESPONSE_HEADERS, "Content-Type": "application/json; charset=utf-8"}
    if settings.allow_origin:
        headers["Access-Control-Allow-Origin"] = settings.allow_origin
    resources = {
        kind: {"statusCode": str(error.status), **_answer(error.body(), headers | error.headers)}
        for kind, error in REFUSALS.items()
    }
    return resources | {kind: _answer({"message": message}, headers) for kind, message in OTHERS.items()}


def resources(stage: Stage) -> dict[str, Any]:
    """The additions to the API that Chalice declares, and its own resources."""
    return {
        "RestAPI": {
            "Properties": {
                "Name": {"Ref": "AWS::StackName"},
                # Without it SAM deploys a second stage, `Stage`, that has none of the limits and logs below.
                "OpenApiVersion": "2.0",
                "TracingEnabled": True,
                # Of no use to anybody but that the stage, which logs, is made after the role to log with.
                "Variables": {"logs": {"Fn::If": ["CreatesGatewayLogRole", {"Ref": "GatewayAccount"}, "own"]}},
                "AccessLogSetting": {
                    "DestinationArn": {"Fn::GetAtt": ["ApiAccessLogs", "Arn"]},
                    "Format": json.dumps(_ACCESS_LOG),
                },
                "MethodSettings": [
                    {
                        "ResourcePath": "/*",
                        "HttpMethod": "*",
                        "ThrottlingRateLimit": {"Ref": "ThrottleRate"},
                        "ThrottlingBurstLimit": {"Ref": "ThrottleBurst"},
                        # The functions count by route; the gateway's own count would be billed beside it.
                        "MetricsEnabled": False,
                        "DataTraceEnabled": False,
                    }
                ],
            },
        },
        "ApiAccessLogs": {
            "Type": "AWS::Logs::LogGroup",
            **stage.policies,
            "Properties": {"RetentionInDays": {"Ref": "LogRetentionDays"}},
        },
        **_log_role(),
        **_domain(stage),
    }


def _answer(body: Mapping[str, Any], headers: dict[str, str]) -> dict[str, Any]:
    # A header whose value has quotes cannot be given here; the one that has is about pages, and this is none.
    sendable = {name: value for name, value in headers.items() if "'" not in value}
    return {
        "responseParameters": {f"gatewayresponse.header.{name}": f"'{value}'" for name, value in sendable.items()},
        "responseTemplates": {"application/json": json.dumps(body, separators=(",", ":")) + "\n"},
    }


def _log_role() -> dict[str, Any]:
    trust = {"Effect": "Allow", "Principal": {"Service": "apigateway.amazonaws.com"}, "Action": "sts:AssumeRole"}
    managed = "arn:${AWS::Partition}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
    return {
        "GatewayLogRole": {
            "Type": "AWS::IAM::Role",
            "Condition": "CreatesGatewayLogRole",
            "Properties": {
                "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
                "ManagedPolicyArns": [{"Fn::Sub": managed}],
            },
        },
        "GatewayAccount": {
            "Type": "AWS::ApiGateway::Account",
            "Condition": "CreatesGatewayLogRole",
            "Properties": {"CloudWatchRoleArn": {"Fn::GetAtt": ["GatewayLogRole", "Arn"]}},
        },
    }


def _domain(stage: Stage) -> dict[str, Any]:
    return {
        "ApiDomain": {
            "Type": "AWS::ApiGateway::DomainName",
            "Condition": "HasDomainName",
            "Properties": {
                "DomainName": {"Ref": "DomainName"},
                "RegionalCertificateArn": {"Ref": "CertificateArn"},
                "EndpointConfiguration": {"Types": ["REGIONAL"]},
                "SecurityPolicy": "TLS_1_2",
            },
        },
        "ApiDomainMapping": {
            "Type": "AWS::ApiGateway::BasePathMapping",
            "Condition": "HasDomainName",
            # The stage is made by the transform, under this name.
            "DependsOn": [f"RestAPI{stage.name}Stage"],
            "Properties": {
                "DomainName": {"Ref": "ApiDomain"},
                "RestApiId": {"Ref": "RestAPI"},
                "Stage": stage.name,
            },
        },
    }
