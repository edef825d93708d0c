"""Cards: what a Replier says of its name, as JSON."""

from __future__ import annotations

import json
from typing import Any, Dict, Optional


def encoded_card(description: str, content_type: str, schema: Any) -> bytes:
    """A card; empty if there is nothing in it."""
    card: Dict[str, Any] = {}
    if description:
        card["description"] = description
    if content_type:
        card["contentType"] = content_type
    if schema is not None:
        card["schema"] = schema
    return json.dumps(card, ensure_ascii=False).encode() if card else b""


def decoded_card(text: bytes) -> Optional[Dict[str, Any]]:
    """The card in an answer, None if there is none."""
    return dict(json.loads(text)) if text else None
