# SPDX-License-Identifier: BSD-2-Clause
"""What the packages bring on a Machine, at work: real documents for spoor-render, a webhook for spoor-relay, and the readers of the log."""

import email.message
import re

import documents
import newcomer
import proc

WEBHOOK = """\
set -e
cd /root
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 -keyout hook.key -out /etc/spoor/hook.crt 2>/dev/null
(umask 027; echo "whsec_$(openssl rand -base64 32)" >/etc/spoor/hook.secret; chgrp spoor-relay /etc/spoor/hook.secret)
cat >>/etc/spoor/spoor.conf <<'END'
sink hook {
    url            = "https://127.0.0.1:8443/"
    secret_files   = { "/etc/spoor/hook.secret" }
    ca_file        = "/etc/spoor/hook.crt"
    allow_networks = { "127.0.0.0/8" }
}
END
systemd-run --quiet --unit=hook python3 /usr/share/doc/spoor/examples/webhook/receive --secret-file /etc/spoor/hook.secret \
    --certificate /etc/spoor/hook.crt --key /root/hook.key
runuser -u postgres -- psql -Xq spoor -c "insert into spoor.sink_rule (sink, what) values ('hook', '{sent,view}')"
"""
# Of a daemon: its user, capabilities, seccomp filter, and the networks that it sees.
LOOK = """\
pid=$(systemctl show -P MainPID %s)
stat -c %%U /proc/$pid
sed -n 's/^CapEff:[^0-9a-f]*//p; s/^Seccomp:[^0-9]*//p; s/^NoNewPrivs:[^0-9]*//p' /proc/$pid/status
sed -n 's/^ *\\(.*\\):.*/\\1/p' /proc/$pid/net/dev
"""
# What was logged until now, and a line that tells of trouble. Neither program wants to be run by root.
READ_LOG = """\
apt-get -qq install -y --no-install-recommends lnav logcheck >/dev/null
journalctl --no-pager -o short -t spoor-stamp -t spoor-match -t spoor-pixeld -t spoor-delivery >/var/tmp/what-was-logged
echo "$(tail -1 /var/tmp/what-was-logged | sed 's/: .*/: cannot reach the moon/')" >>/var/tmp/what-was-logged
runuser -u logcheck -- env HOME=/var/tmp lnav -n -c ';select count(*), sum(log_level = "error") from spoor_log' -c ':write-csv-to -' /var/tmp/what-was-logged
wc -l </var/tmp/what-was-logged
runuser -u logcheck -- logcheck -o -t -l /var/tmp/what-was-logged | grep 'spoor-'
apt-get -qq purge -y logcheck >/dev/null # which sends mail of its own now and then
"""


def check_readers_of_the_log(machine):
    """They find what the package has brought for them: lnav knows each line, and logcheck shows what tells of trouble and not what is normal."""
    told = machine.run(READ_LOG)
    counts = re.search(r"^(\d+),1\n(\d+)\n", told, re.M)
    assert counts and counts.group(1) == counts.group(2) and int(counts.group(1)) > 5, told
    shown = re.findall(r"^.* spoor-\w+\[\d+\]: (.*)$", told, re.M)
    assert "cannot reach the moon" in shown and not re.search(r"^(ready|.*message=.*)$", "\n".join(shown), re.M), told


def mail_with(files):
    mail = email.message.EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = newcomer.SENDER, newcomer.TO, "with files"
    mail["X-Spoor-Attachments"] = "track"
    mail.set_content("See the files.\n")
    mail.add_alternative("<p>See the files.</p>\n", subtype="html")
    for name, content in files.items():
        mail.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return mail.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def check_render(machine):
    """A mail with a DOCX and a PDF, which LibreOffice and poppler turn into pages in the unit of spoor-render; gives what came of each."""
    newcomer.follow(machine, ["render"])
    newcomer.submit(machine, mail_with({"proposal.docx": documents.docx_with_pages(3), "prices.pdf": documents.pdf(("One", "Two"))}))
    ready = "select file_type, pages from spoor.document where state = 'ready' order by file_type"
    proc.wait_for(lambda: newcomer.value(machine, ready) == "docx|3\npdf|2",
                  "both documents are ready: %s" % newcomer.value(machine, "select file_type, state, reason from spoor.document"), 600)
    pictures = newcomer.value(machine, "select count(*), bool_and(octet_length(image) > 100) from spoor.page")
    assert pictures == "5|t", pictures
    user, capabilities, no_new, seccomp, *networks = machine.run(LOOK % "spoor-render").split()
    assert (user, int(capabilities, 16), no_new, seccomp, networks) == ("spoor-render", 0, "1", "2", ["lo"])
    return newcomer.value(machine, ready).replace("\n", ", ")


def check_relay(machine):
    """A webhook gets what happens to a mail, each event once."""
    machine.run("apt-get -qq install -y /tmp/packages/spoor-relay_*.deb")
    machine.run(WEBHOOK)
    told = "journalctl --no-pager -o cat -u hook"
    proc.wait_for(lambda: "listening on" in machine.run(told), "the webhook listens", 60)
    machine.run("spoorctl sink test hook && systemctl restart spoor@stamp spoor@match spoor@pixeld spoor@delivery && systemctl enable --now spoor@relay")
    newcomer.submit(machine, newcomer.MAIL.format(sender=newcomer.SENDER, to=newcomer.TO).encode())
    proc.wait_for(lambda: re.search(r"\| sent \| .*submitted", machine.run(told)), "the webhook was told of a mail", 120)
    user, capabilities, no_new, seccomp, *_ = machine.run(LOOK % "spoor@relay").split()
    assert (user, int(capabilities, 16), no_new, seccomp) == ("spoor-relay", 0, "1", "2")
    return re.search(r"^.*\| sent \|.*$", machine.run(told), re.M).group(0)
