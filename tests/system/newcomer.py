# SPDX-License-Identifier: BSD-2-Clause
"""README.md and spoor-recipes(7) as a newcomer follows them on a Machine: their commands, each as it stands there."""

import os
import re
import sys

import proc
import spoor

SENDER, TO = "alice@example.com", "you@example.net"
# Postfix for this place, and where its mail ends.
POSTFIX = """\
postconf -e 'myhostname=mail.example.com' 'mydestination=example.com' 'relayhost=[127.0.0.1]:2525' 'smtp_dns_support_level=disabled'
postconf -M 'submission/inet=submission inet n - y - - smtpd'
mkdir /sink && chown nobody /sink
systemd-run --unit=sink smtp-sink -u nobody -d '/sink/%M.' 127.0.0.1:2525 50
systemctl restart postfix
"""
SUBMIT = """\
import smtplib, sys
with smtplib.SMTP("127.0.0.1", 587, timeout=30) as server:
    server.sendmail("{sender}", ["{to}"], open(sys.argv[1], "rb").read())
"""
MAIL = "From: {sender}\r\nTo: {to}\r\nSubject: submitted\r\nContent-Type: text/html\r\n\r\n<p>Hi</p>\r\n"
DAEMONS = ("stamp", "match", "pixeld", "delivery")
UNITS = tuple("spoor@%s" % name for name in DAEMONS + ("relay",)) + ("spoor-render", "spoor-metrics", "spoor-prune")
# Of each daemon: its user, and what its processes may.
LOOK = """\
for name in stamp match pixeld delivery; do
    systemctl is-active --quiet spoor@$name || echo "spoor@$name is not active"
    pid=$(systemctl show -P MainPID spoor@$name)
    echo "$name $(stat -c %U /proc/$pid) $(sed -n 's/^CapEff:[^0-9a-f]*//p; s/^Seccomp:[^0-9]*//p; s/^NoNewPrivs:[^0-9]*//p' /proc/$pid/status | tr '\\n' ' ')"
done
stat -c '%n %U %G %a' /etc/spoor/keys /var/spool/spoor /var/spool/spoor/* /var/spool/postfix/spoor /var/spool/postfix/spoor/* /var/spool/postfix/spoor/*/*
"""
# The unit of the numbers with another program, which says what it sees.
LOOK_AROUND = """\
sed "s#^ExecStart=.*#ExecStart=/bin/sh -c '(find / -path /proc -prune -o -path /sys -prune -o -path /usr -prune -o -path /lib -prune -o -path /lib64 -prune -o -path /bin -prune -o -type f -print; find /usr/local -type f) >/var/lib/prometheus/spoor/seen'#" \\
    "$(systemctl show -P FragmentPath spoor-metrics.service)" >/run/systemd/system/look-around.service
systemctl daemon-reload
systemctl start look-around.service
"""
NEWER_DOCUMENT = ("insert into spoor.document (id, sha256, file_type, bytes) overriding system value"
                  " values (23, sha256('newer'), 'pdf', 5) on conflict do nothing;\n")
SHOWN = (r"/etc/(spoor/spoor\.conf|ld\.so\.cache|passwd|nsswitch\.conf|hosts|resolv\.conf|ssl/openssl\.cnf|ssl/certs/.*)$|/var/spool/spoor/"
         r"|/usr/local/(?!etc/)|/usr/local/etc/spoor/spoor\.conf$|/(run|var/run)/postgresql/|/var/lib/prometheus/spoor/")


def text_of(name):
    with open(os.path.join(spoor.SOURCE, name), encoding="utf-8") as file:
        return file.read()


def commands_of(name):
    """The commands of README.md's blocks between the mark NAME and the next."""
    part = re.search(r"<!-- newcomer: %s -->\n(.*?)<!-- newcomer: " % re.escape(name), text_of("README.md"), re.S)
    assert part, "README.md has no mark %s" % name
    return [line.strip() for line in part.group(1).splitlines() if line.startswith("    ")]


def later_commands():
    """What README.md has behind the first mail, but for the block of spoor-render: (commands of a shell, of psql). Other lines there are of spoor.conf."""
    text = re.sub(r"<!-- newcomer: render -->.*?<!-- newcomer: end -->", "", text_of("README.md").split("<!-- newcomer: end -->", 1)[1], flags=re.S)
    lines = [line[4:] for line in text.splitlines() if line.startswith("    ")] + re.findall(r"`(journalctl [^`]*)`", text)
    shell = [line for line in lines if re.match(r"(runuser|spoorctl|systemctl|journalctl) ", line)]
    psql = [line for line in lines if re.match(r"(select|table|insert|update) ", line)]
    other = [line for line in lines if line not in shell + psql and not re.match(r"\w+( \w+)? \{$| +\w+ += \S|\}$", line)]
    assert shell and psql and not other, other
    return shell, psql


def tried(sql):
    """A command of psql as it stands, but once where it goes on by itself, with the document that README.md takes for a newer one, and taken back."""
    return "begin;\n%s%s\nrollback;\n" % (NEWER_DOCUMENT, re.sub(r" \\watch \d+$", ";", sql))


def recipe(name):
    """The commands of spoor-recipes(7) under the heading NAME, a list of them for each of its blocks."""
    part = re.search(r"^\.Sh %s\n(.*?)^\.Sh " % re.escape(name), text_of("common/spoor-recipes.7"), re.S | re.M)
    assert part, "spoor-recipes(7) has no recipe %s" % name
    return [block.splitlines() for block in re.findall(r"^\.Bd -literal.*?\n(.*?)^\.Ed", part.group(1).replace("\\e", "\\"), re.S | re.M)]


def value(machine, sql):
    return machine.run('runuser -u postgres -- psql -AtX spoor -c "%s"' % sql).strip()


def tracked(machine, count):
    return int(value(machine, "select count(*) from spoor.message")) >= count


def follow(machine, parts):
    """Runs the commands of these parts of README.md; gives what each printed."""
    printed = {}
    for part in parts:
        for command in commands_of(part):
            printed[command] = machine.run(command)
            if "FAIL" in printed[command] and not command.startswith("spoorctl postfix"):
                sys.exit("%s\n%s" % (command, printed[command]))
    return printed


def follow_later(machine):
    """README.md's commands for later, on a machine that has tracked its first mails."""
    shell, psql = later_commands()
    for command in shell:
        told = machine.run(command)
        assert "FAIL" not in told and told != "", "%s\n%s" % (command, told)
    for command in psql:
        machine.run("runuser -u postgres -- psql -Xq -v ON_ERROR_STOP=1 spoor <<'END'\n%sEND\n" % tried(command))
    return len(shell) + len(psql)


def set_up(machine):
    """From what is installed to a tracked mail."""
    printed = follow(machine, ["names", "set up"])
    proc.wait_for(lambda: tracked(machine, 1), "the first mail is in the database", 120)
    return printed


def submit(machine, mail):
    """As a mail program does, by the submission service."""
    with open(machine.folder + "/root/mail", "wb") as out:
        out.write(mail)
    with open(machine.folder + "/root/submit.py", "w") as out:
        out.write(SUBMIT.format(sender=SENDER, to=TO))
    machine.run("python3 /root/submit.py /root/mail")


def check_daemons(machine):
    told = machine.run(LOOK)
    for name in DAEMONS:
        assert re.search(r"^%s spoor-%s 0+ 1 2 $" % (name, name), told, re.M), told
        assert "/var/spool/spoor/%s spoor-%s spoor-%s 700\n" % (name, name, name) in told, told
    assert "/etc/spoor/keys root spoor-keys 640\n" in told, told
    for name in ("stamp", "match"):
        assert "/var/spool/postfix/spoor/%s/%s.sock spoor-%s postfix 660\n" % (name, name, name) in told, told
    refused = machine.run("for name in delivery pixeld; do runuser -u spoor-$name -- psql -X -U spoor_milter spoor -c 'select 1' && exit 1; done;"
                          " runuser -u spoor-delivery -- cat /etc/spoor/keys && exit 1; runuser -u spoor-match -- ls /var/spool/spoor/stamp && exit 1; true")
    assert refused.count("failed for user") == 2 and refused.count("Permission denied") == 2, refused


def check_mail(machine):
    submit(machine, MAIL.format(sender=SENDER, to=TO).encode())
    proc.wait_for(lambda: tracked(machine, 2), "the submitted mail is in the database", 120)
    proc.wait_for(lambda: machine.run("ls /sink | wc -l").strip() == "2", "both have left", 120)
    sent = machine.run("cat /sink/*").replace("=\n", "").replace("=\r\n", "")
    assert sent.count("https://t.example.com/o/") == 2, sent
    proc.wait_for(lambda: value(machine, "select count(*) from spoor.delivery_report where state = 'delivered'") == "2",
                  "spoor-delivery has read in the journal how far they came", 120)


def check_metrics(machine):
    """The unit asks the database and reads each spool, and sees no more of the machine than it needs."""
    machine.run("systemctl start spoor-metrics.service")
    numbers = machine.run("cat /var/lib/prometheus/spoor/spoor.prom")
    assert "spoor_database_answers 1\n" in numbers, numbers
    for name in DAEMONS[:3]:
        assert 'spoor_spool_waiting_bytes{spool="%s"}' % name in numbers, numbers
    machine.run(LOOK_AROUND)
    seen = machine.run("cat /var/lib/prometheus/spoor/seen").split()
    machine.run("rm -f /run/systemd/system/look-around.service /var/lib/prometheus/spoor/seen && systemctl daemon-reload")
    assert "/etc/spoor/spoor.conf" in seen and any(path.startswith("/var/spool/spoor/stamp/") for path in seen), seen[:20]
    wrong = [path for path in seen if not re.match(SHOWN, path)]
    assert not wrong, wrong[:20]


def left_over(machine):
    """What has our name, but for the database, the logs, and what was there before."""
    found = machine.run("find / -xdev -name '*spoor*' -not -path '/proc/*' -not -path '/var/lib/postgresql/*' -not -path '/var/log/*' "
                        "-not -path '/sink*' -not -path '/tmp/packages*' -not -path '/var/local/*'; { getent passwd; getent group; } | grep spoor || true")
    return found.split()
