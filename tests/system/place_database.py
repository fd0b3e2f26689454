# SPDX-License-Identifier: BSD-2-Clause
"""Writes a small database of places in the MaxMind DB format, version 2.0, with records of 24 bits, for IPv4."""

import ipaddress
import struct

MAP, TEXT, UINT16, UINT32, UINT64, ARRAY = 7, 2, 5, 6, 9, 11


def control(kind, size):
    assert size < 29
    return bytes([kind << 5 | size]) if kind < 8 else bytes([size, kind - 7])


def encode(value, kind=UINT32):
    if isinstance(value, dict):
        return control(MAP, len(value)) + b"".join(encode(name) + encode(each, KINDS.get(name, UINT32)) for name, each in value.items())
    if isinstance(value, list):
        return control(ARRAY, len(value)) + b"".join(encode(each) for each in value)
    if isinstance(value, str):
        text = value.encode()
        return control(TEXT, len(text)) + text
    number = struct.pack(">Q", value).lstrip(b"\0")
    return control(kind, len(number)) + number


KINDS = {"ip_version": UINT16, "record_size": UINT16, "binary_format_major_version": UINT16, "binary_format_minor_version": UINT16,
         "build_epoch": UINT64}


def write(path, places):
    """PLACES has a city (or None) and a country for each network."""
    nodes, data, leaves = [[None, None]], b"", []
    for network, (city, country) in places.items():
        network = ipaddress.ip_network(network)
        bits = format(int(network.network_address), "032b")[:network.prefixlen]
        node = 0
        for bit in bits[:-1]:
            if nodes[node][int(bit)] is None:
                nodes.append([None, None])
                nodes[node][int(bit)] = len(nodes) - 1
            node = nodes[node][int(bit)]
        leaves.append((node, int(bits[-1]), len(data)))
        words = {"country": {"names": {"en": country}}}
        if city:
            words["city"] = {"names": {"de": "(" + city + ")", "en": city}}
        data += encode(words)
    for node, side, offset in leaves:
        nodes[node][side] = len(nodes) + 16 + offset
    tree = b"".join(struct.pack(">I", len(nodes) if side is None else side)[1:] for node in nodes for side in node)
    about = {"node_count": len(nodes), "record_size": 24, "ip_version": 4, "database_type": "Test-City", "languages": ["en"],
             "binary_format_major_version": 2, "binary_format_minor_version": 0, "build_epoch": 1, "description": {"en": "test"}}
    with open(path, "wb") as file:
        file.write(tree + bytes(16) + data + b"\xab\xcd\xefMaxMind.com" + encode(about))
