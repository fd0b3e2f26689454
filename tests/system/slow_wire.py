#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-2-Clause
"""
slow_wire.py ONE OTHER MILLISECONDS: takes each frame from either of two interfaces to the other, so much later. It does
what the kernel's netem would, which not every kernel has. Says "ready", and goes on until it is killed.
"""

import collections
import select
import socket
import struct
import sys
import time

ETH_P_ALL = 3
SOL_PACKET, PACKET_ADD_MEMBERSHIP, PACKET_VNET_HDR, PACKET_MR_PROMISC = 263, 1, 15, 1
LARGEST = 1 << 17


def open_interface(name):
    """Frames come and go with the header that says what the kernel has put off: checksums, and cutting to size."""
    frames = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    frames.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    frames.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    frames.bind((name, ETH_P_ALL))
    membership = struct.pack("IHH8s", socket.if_nametoindex(name), PACKET_MR_PROMISC, 0, b"")
    frames.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP, membership)
    return frames


def main():
    one, other = open_interface(sys.argv[1]), open_interface(sys.argv[2])
    delay = int(sys.argv[3]) / 1000
    peer, waiting = {one: other, other: one}, collections.deque()
    print("ready", flush=True)
    while True:
        rest = max(0, waiting[0][0] - time.monotonic()) if waiting else None
        for ready in select.select([one, other], [], [], rest)[0]:
            frame, sender = ready.recvfrom(LARGEST)
            if sender[2] != socket.PACKET_OUTGOING:
                waiting.append((time.monotonic() + delay, peer[ready], frame))
        while waiting and waiting[0][0] <= time.monotonic():
            _, to, frame = waiting.popleft()
            try:
                to.send(frame)
            except OSError:
                pass  # a full queue loses frames, as wires do


main()
