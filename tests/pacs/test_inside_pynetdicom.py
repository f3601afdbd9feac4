"""Where pynetdicom's inside is touched: each place with what is expected there, so that a new release says which moved.

pynetdicom has no public way to say where objects arrive, how long a PDU may be and take, or how much may wait.
"""

import inspect
import socket
from types import SimpleNamespace

import pynetdicom
import pytest
from pynetdicom import _config, association, dimse_messages, dul, transport

from fsrcnn_np.pacs.library import import_pynetdicom

MOVED = "pynetdicom {version} has moved {what}, which fsrcnn_np/pacs touches: {where}"


def source(thing):
    return inspect.getsource(thing)


@pytest.mark.parametrize(
    ("there", "what", "where"),
    [
        (lambda: _config.STORE_RECV_CHUNKED_DATASET in (True, False), "receiving in pieces", "incoming.py"),
        (lambda: _config.STORE_SEND_CHUNKED_DATASET in (True, False), "sending in pieces", "library.py"),
        (lambda: "NamedTemporaryFile(" in source(dimse_messages.DIMSEMessage), "its temporary file", "incoming.py"),
        (lambda: callable(dimse_messages.NamedTemporaryFile), "its temporary file", "incoming.py"),
        (lambda: "self.socket.recv(" in source(dul.DULServiceProvider), "how a PDU is read", "incoming.guard"),
        (lambda: list(inspect.signature(transport.AssociationSocket.recv).parameters)[1:] == ["nr_bytes"],
         "how a PDU is read", "incoming.guard"),
        (lambda: callable(transport.AssociationSocket._shutdown_socket), "how a socket ends", "library.py"),
        (lambda: "to_provider_queue.put(" in source(dul.DULServiceProvider), "its queue", "sending._Bounded"),
        (lambda: "self.to_provider_queue" in source(dul.DULServiceProvider.__init__), "its queue", "sending._Bounded"),
        (lambda: "def send_reject" in source(pynetdicom.acse.ACSE), "rejecting", "service._on_request"),
        (lambda: "dataset_path" in dir(pynetdicom.evt.Event), "where an object has arrived", "receiving.py"),
        (lambda: "def run_reactor" in source(dul.DULServiceProvider), "its thread", "library.py"),
        (lambda: "def kill" in source(association.Association), "ending an association", "service._on_request"),
    ],
)  # fmt: skip
def test_what_is_touched_is_where_it_was(there, what, where):
    try:
        found = there()
    except (AttributeError, TypeError, OSError):
        found = False
    assert found, MOVED.format(version=pynetdicom.__version__, what=what, where=where)


def test_a_socket_is_closed_that_cannot_be_shut_down():
    """As where the peer is gone, or never was there: else a warning of Python's, and one file more that stays open."""
    import_pynetdicom()
    ended = socket.socket()
    transport.AssociationSocket._shutdown_socket(SimpleNamespace(socket=ended))
    assert ended.fileno() == -1
