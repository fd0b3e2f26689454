# SPDX-License-Identifier: BSD-2-Clause
"""
What a package manager does to a Machine that tracks mail: the next release over the running one, as spoor-recipes(7) says, under a load
of mails and views; removed, installed again, and purged.
"""

import os
import re
import shutil

import newcomer
import proc

FOLDER = "/var/local/spoor"  # where the recipe has the new packages
LOAD = "/root/load"
UNITS = ["spoor@%s.service" % name for name in newcomer.DAEMONS] + ["spoor@relay.service", "spoor-render.service", "spoor-pixeld.socket"]
CONFIGURATION = "md5sum /etc/spoor/spoor.conf; ls /etc/spoor"
PROGRAMS = """\
for unit in {units}; do
    pid=$(systemctl show -P MainPID $unit)
    [ "$pid" = 0 ] || echo "$unit $pid $(readlink /proc/$pid/exe)"
done
"""


def programs(machine):
    """What runs, by unit: its process, and the file it was started from."""
    told = machine.run(PROGRAMS.format(units=" ".join(UNITS[:-1])))
    return {unit: (pid, path) for unit, pid, path in re.findall(r"^(\S+) (\d+) (.+)$", told, re.M)}


def lines(machine, name):
    path = machine.folder + LOAD + "/" + name
    if not os.path.exists(path):
        return []
    with open(path) as file:
        return file.read().splitlines()


class Load:
    """Mails and views on the machine itself; its mails wait in Postfix's queue while the next server is away."""

    def __init__(self, machine):
        self.machine = machine
        os.mkdir(machine.folder + LOAD)
        shutil.copy(os.path.join(os.path.dirname(__file__), "steady_load.py"), machine.folder + "/root/")
        sent = machine.run("cat /sink/*").replace("=\n", "").replace("=\r\n", "")
        self.image = re.search(r"https://t\.example\.com(/o/\S+?\.gif)", sent).group(1)

    def start(self):
        self.machine.run("systemctl stop sink; systemd-run --unit=load python3 /root/steady_load.py %s %s" % (LOAD, self.image))
        self.goes_on()

    def goes_on(self):
        """Both get on, whatever is under way."""
        before = {name: len(lines(self.machine, name)) for name in ("mails", "views")}
        proc.wait_for(lambda: all(len(lines(self.machine, name)) >= count + 5 for name, count in before.items()),
                      "five mails and five views more; put off: %s" % lines(self.machine, "put-off")[-1:], 120)

    def finish(self):
        self.machine.run("systemctl stop load")

    def check_nothing_is_lost(self):
        mails, views = set(lines(self.machine, "mails")), set(lines(self.machine, "views"))
        assert lines(self.machine, "lost") == []
        waiting = int(self.machine.run("find /var/spool/postfix/deferred /var/spool/postfix/active /var/spool/postfix/incoming -type f | wc -l"))
        assert waiting == len(mails), "%d mails were taken, %d are in the queue" % (len(mails), waiting)
        self.machine.run("systemd-run --unit=sink smtp-sink -u nobody -d '/sink/%M.' 127.0.0.1:2525 50")
        proc.wait_for(lambda: self.machine.run("postqueue -f; postqueue -p | tail -1").startswith("Mail queue is empty"), "the queue is empty", 300)
        arrived = re.findall(r"^Subject: (load-\d+)\r?$", self.machine.run("cat /sink/*"), re.M)
        assert sorted(arrived) == sorted(mails), "arrived but not taken, or not arrived: %s" % (set(arrived) ^ mails)
        for what, there, wanted in (
                ("mail", "select subject from spoor.message where subject like 'load-%'", mails),
                ("view", "select agent from spoor.event_report where what = 'view' and agent like 'load-%'", views)):
            proc.wait_for(lambda: wanted <= set(newcomer.value(self.machine, there).split()), "each %s is in the database" % what, 120)
        return len(mails), len(views), len(lines(self.machine, "put-off"))


def is_active(machine):
    for unit in UNITS:
        proc.wait_for(lambda: machine.run("systemctl is-active %s || true" % unit).strip() == "active", unit + " is active", 120)


def upgrade(machine, packages, version, schema):
    """By the recipe: programs, schema, daemons. What runs goes on until it is told to restart, and each step is under load."""
    install, (schema_line,), *restarts = newcomer.recipe("UPGRADE")
    load = Load(machine)
    load.start()
    before = programs(machine)
    assert set(before) == set(UNITS[:-1]), before
    edited = machine.run(CONFIGURATION)
    machine.bring(packages, FOLDER)
    for line in install:
        machine.run(line)
    assert machine.run(CONFIGURATION) == edited
    assert machine.run("dpkg-query -W -f '${Version}\\n' spoor spoor-render spoor-relay").split() == [version] * 3
    load.goes_on()
    assert {unit: pid for unit, (pid, _) in programs(machine).items()} == {unit: pid for unit, (pid, _) in before.items()}
    told = machine.run(schema_line)
    assert newcomer.value(machine, "select version from spoor.schema") == str(schema), told
    load.goes_on()
    for line in [line for block in restarts for line in block]:
        told = machine.run(line)
    assert "FAIL" not in told and "ok" in told, told
    load.goes_on()
    is_active(machine)
    after = programs(machine)
    assert all(after[unit][0] != before[unit][0] and "(deleted)" not in after[unit][1] for unit in before), after
    load.finish()
    newcomer.check_daemons(machine)
    return load.check_nothing_is_lost()


def remove_and_return(machine, packages):
    """Mail waits and nothing of ours is thrown away; installed again, all goes on where it was."""
    kept = "md5sum /etc/spoor/keys /etc/spoor/spoor.conf; ls /var/spool/spoor"
    before, mails = machine.run(kept), int(newcomer.value(machine, "select count(*) from spoor.message"))
    told = machine.run("apt-get -q remove -y spoor spoor-render spoor-relay")
    assert "Postfix still asks for the filters" in told, told
    assert machine.run("pgrep -a spoor || true") == ""
    assert machine.run(kept) == before
    machine.run("apt-get -qq install -y " + " ".join(FOLDER + "/" + os.path.basename(path) for path in packages))
    assert machine.run("pgrep -a spoor || true") == "", "nothing starts by being installed"
    machine.run("systemctl start spoor-pixeld.socket spoor@stamp spoor@match spoor@pixeld spoor@delivery spoor@relay spoor-render")
    is_active(machine)
    newcomer.submit(machine, newcomer.MAIL.format(sender=newcomer.SENDER, to=newcomer.TO).encode())
    proc.wait_for(lambda: newcomer.tracked(machine, mails + 1), "a mail is tracked again", 120)


def purge(machine):
    machine.run("apt-get -qq purge -y spoor spoor-render spoor-relay")
    found = newcomer.left_over(machine)
    assert not found, "left over: %s" % found
