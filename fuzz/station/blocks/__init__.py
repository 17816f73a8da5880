"""The functional blocks of the station, one class each; the order is that in which they react to the same event."""

from __future__ import annotations

from fuzz.station.blocks.authorization import AuthorizationBlock
from fuzz.station.blocks.availability import AvailabilityBlock
from fuzz.station.blocks.base import Block
from fuzz.station.blocks.boot import BootBlock
from fuzz.station.blocks.cache import CacheBlock
from fuzz.station.blocks.certificates import CertificatesBlock
from fuzz.station.blocks.customer import CustomerBlock
from fuzz.station.blocks.data_transfer import DataTransferBlock
from fuzz.station.blocks.firmware import FirmwareBlock
from fuzz.station.blocks.heartbeat import HeartbeatBlock
from fuzz.station.blocks.logs import LogsBlock
from fuzz.station.blocks.metering import MeteringBlock
from fuzz.station.blocks.network import NetworkBlock
from fuzz.station.blocks.outboxes import OutboxesBlock
from fuzz.station.blocks.remote import RemoteBlock
from fuzz.station.blocks.renewal import RenewalBlock
from fuzz.station.blocks.reports import ReportsBlock
from fuzz.station.blocks.reset import ResetBlock
from fuzz.station.blocks.security import SecurityBlock
from fuzz.station.blocks.transactions import TransactionsBlock
from fuzz.station.blocks.trigger import TriggerBlock
from fuzz.station.blocks.unlock import UnlockBlock
from fuzz.station.blocks.variables import VariablesBlock

BLOCKS: tuple[type[Block], ...] = (
    NetworkBlock,
    BootBlock,
    AvailabilityBlock,
    SecurityBlock,
    CertificatesBlock,
    RenewalBlock,
    HeartbeatBlock,
    MeteringBlock,
    TransactionsBlock,
    AuthorizationBlock,
    RemoteBlock,
    UnlockBlock,
    VariablesBlock,
    ReportsBlock,
    TriggerBlock,
    ResetBlock,
    CustomerBlock,
    DataTransferBlock,
    CacheBlock,
    LogsBlock,
    FirmwareBlock,
    OutboxesBlock,
)
"""Every block there is; a new one is added here, before OutboxesBlock."""
