"""A small shipments API. A caller needs an access token of your Clientdesk, with the scope of what it asks for."""

import os
from typing import Annotated, Any

import uvicorn
from fastapi import FastAPI, Security
from pydantic import BaseModel

from tokens import caller


class Shipment(BaseModel):
    destination: str


Reader = Annotated[dict[str, Any], Security(caller, scopes=["shipments:read"])]
Writer = Annotated[dict[str, Any], Security(caller, scopes=["shipments:write"])]

app = FastAPI(title="Shipments")
shipments: list[dict[str, Any]] = [{"id": 1, "destination": "Rotterdam", "booked_by": "the harbour office"}]


@app.get("/shipments")
async def list_shipments(claims: Reader) -> list[dict[str, Any]]:
    return shipments


@app.post("/shipments", status_code=201)
async def book_shipment(shipment: Shipment, claims: Writer) -> dict[str, Any]:
    booked = {"id": len(shipments) + 1, "destination": shipment.destination, "booked_by": claims["client_id"]}
    shipments.append(booked)
    return booked


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ.get("PORT", "8001")), log_level="warning")
