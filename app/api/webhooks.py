"""`/v1/webhooks`: addresses that are told when a scan is finished (Standard Webhooks)."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import Field, StringConstraints
from starlette.responses import Response

from app.api.access import Asks, needs
from app.api.resources import Resource, State, moment
from app.api.strict_json import Body, examples
from app.api.strict_route import StrictRoute
from app.auth.targets import check_target
from app.db.models import Webhook
from app.services import audit, webhooks

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"], route_class=StrictRoute)

EventName = Literal["scan.done", "scan.failed", "scan.canceled"]
HookId = Annotated[str, Path(pattern=r"^[0-9a-z_]{1,64}$", examples=["hook_01k9q8v7f3m2n5p6r8s9t0v1w2"])]
ALL: list[EventName] = ["scan.done", "scan.failed", "scan.canceled"]


class WebhookBody(Body):
    """Where to send, and what about. Private addresses are refused when a message is sent."""

    model_config = examples({"url": "https://ci.example.org/whence", "events": ["scan.done", "scan.failed"]})

    url: Annotated[
        str,
        StringConstraints(strict=True, min_length=10, max_length=2000, pattern=r"^https?://[\x21-\x7e]+$"),
    ]
    events: Annotated[list[EventName], Field(min_length=1, max_length=3)] = ALL


class WebhookResource(Resource):
    """An address that is told."""

    id: str
    url: str
    events: list[EventName]
    created_at: str
    disabled_at: str | None


class NewWebhookResource(WebhookResource):
    """A new one. `secret` signs its messages and is shown this once."""

    secret: str = Field(examples=["whsec_…"])


class WebhookList(Resource):
    """All webhooks of the tenant."""

    webhooks: list[WebhookResource]


class DeliveryResource(Resource):
    """One message. answer: the HTTP status of the last try."""

    id: str
    scan: str
    event: EventName
    state: State
    attempts: int
    answer: int | None
    created_at: str
    finished_at: str | None


class DeliveryList(Resource):
    """The newest messages to a webhook."""

    deliveries: list[DeliveryResource]


def _resource(hook: Webhook) -> WebhookResource:
    return WebhookResource(
        id=hook.id,
        url=hook.url,
        events=hook.events,
        created_at=moment(hook.created_at) or "",
        disabled_at=moment(hook.disabled_at),
    )


@router.get("", operation_id="listWebhooks", summary="List webhooks", **needs("admin"))
async def list_all(asking: Asks) -> WebhookList:
    """Your tenant's webhooks, without their secrets."""
    async with asking.work(read=True) as work:
        return WebhookList(webhooks=[_resource(hook) for hook in await webhooks.webhooks(work)])


@router.post(
    "", operation_id="createWebhook", summary="Make a webhook", status_code=201, **needs("admin", body=True)
)
async def create(asking: Asks, body: WebhookBody) -> NewWebhookResource:
    """Messages are signed with the secret in this answer, and tried again with growing pauses."""
    check_target(body.url, allow_private=asking.settings.webhook_private)
    pepper = asking.settings.key_pepper.get_secret_value()
    async with asking.work() as work:
        hook = await webhooks.create(work, body.url, events=body.events, pepper=pepper)
        await audit.record(work, asking.actor, "webhook.create", hook.id, {"events": list(body.events)})
    return NewWebhookResource(**_resource(hook).model_dump(), secret=webhooks.secret_of(hook, pepper))


@router.get(
    "/{webhook_id}/deliveries",
    operation_id="listDeliveries",
    summary="Messages to a webhook",
    **needs("admin", errors=(404,)),
)
async def deliveries(asking: Asks, webhook_id: HookId) -> DeliveryList:
    """The newest fifty and what came of them."""
    async with asking.work(read=True) as work:
        found = await webhooks.deliveries(work, webhook_id)
    return DeliveryList(
        deliveries=[
            DeliveryResource.model_validate(
                {
                    "id": each.id,
                    "scan": each.subject,
                    "event": each.event,
                    "state": each.state,
                    "attempts": each.attempts,
                    "answer": each.answer,
                    "created_at": moment(each.created_at),
                    "finished_at": moment(each.finished_at),
                }
            )
            for each in found
        ]
    )


@router.delete(
    "/{webhook_id}",
    operation_id="deleteWebhook",
    summary="Remove a webhook",
    status_code=204,
    **needs("admin", errors=(404,)),
)
async def delete(asking: Asks, webhook_id: HookId) -> Response:
    """With the messages that wait."""
    async with asking.work() as work:
        await webhooks.remove(work, webhook_id)
        await audit.record(work, asking.actor, "webhook.delete", webhook_id)
    return Response(status_code=204)
