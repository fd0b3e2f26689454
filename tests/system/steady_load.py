#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-2-Clause
"""
Mails and views one after the other until SIGTERM, on a machine of clean_root while its packages are upgraded.

    steady_load.py FOLDER PATH      FOLDER gets the files "mails" and "views" with what was taken, "put-off" and "lost"; PATH is an image's

A mail that is put off is tried again, as each mail program does. A view that gets no picture is lost, for no browser tries again.
"""

import http.client
import os
import signal
import smtplib
import sys
import threading

SENDER, TO = "alice@example.com", "you@example.net"
MAIL = "From: %s\r\nTo: %s\r\nSubject: load-%d\r\nContent-Type: text/html\r\n\r\n<p>Hello</p>\r\n"
PAUSE_S = 0.05

folder, path = sys.argv[1:]
stop = threading.Event()


def note(name, text):
    with open(os.path.join(folder, name), "a") as out:
        out.write(text + "\n")


def send(number):
    mail = MAIL % (SENDER, TO, number)
    while True:
        try:
            with smtplib.SMTP("127.0.0.1", 587, timeout=60) as server:
                server.sendmail(SENDER, [TO], mail)
        except (OSError, smtplib.SMTPException) as error:
            note("put-off", "load-%d %r" % (number, error))
            if stop.wait(PAUSE_S * 4):
                return
        else:
            note("mails", "load-%d" % number)
            return


def view(number):
    try:
        connection = http.client.HTTPConnection("127.0.0.1", 8080, timeout=60)
        connection.request("GET", path, headers={"Host": "t.example.com", "User-Agent": "load-%d" % number})
        status = connection.getresponse().status
        connection.close()
    except (OSError, http.client.HTTPException) as error:
        status = repr(error)
    note("views" if status == 200 else "lost", "load-%d" % number + ("" if status == 200 else " %s" % status))


def again_and_again(act):
    number = 0
    while not stop.wait(PAUSE_S):
        number += 1
        act(number)


def main():
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    for act in (send, view):
        threading.Thread(target=again_and_again, args=(act,)).start()


main()
