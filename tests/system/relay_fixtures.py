# SPDX-License-Identifier: BSD-2-Clause
"""
Fixtures of the tests of spoor-relay that need no mail servers.

place   a database, empty; started once for a file of tests
relay   a function that starts spoor-relay there
crm     a stand-in for Salesforce
hook    the other side of a webhook
"""

import os

import pytest

import proc
import servers as servers_of
from relay_place import Place
from salesforce import Salesforce
from webhook_receiver import Receiver


@pytest.fixture(scope="module")
def place_once():
    folder = servers_of.new_folder()
    made = Place(folder)
    yield made
    made.stop()
    if not os.environ.get("SPOOR_KEEP"):
        proc.run(["rm", "-rf", folder])


@pytest.fixture
def place(place_once):
    place_once.clean()
    yield place_once


@pytest.fixture
def crm(place):
    made = Salesforce(place.folder)
    yield made
    made.stop()
    assert not made.wrong, made.wrong


@pytest.fixture
def relay(place):
    """relay(crm=settings, ...) starts spoor-relay; it is stopped after the test."""
    started = []

    def start(**arguments):
        started.append(place.start(**arguments))
        return started[-1]

    yield start
    for server in started:
        assert server.killed or server.stop() == 0, place.log()


@pytest.fixture
def hook(place):
    made = Receiver(place.folder)
    yield made
    made.stop()
