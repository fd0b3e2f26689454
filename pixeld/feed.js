// SPDX-License-Identifier: BSD-2-Clause
// The page works without this; with it, what happens shows up by itself, and times are in the reader's words.
"use strict";
(function () {
    const feed = document.getElementById("feed");
    const live = document.getElementById("live");
    const notify = document.getElementById("notify");
    const kinds = { views: ["view"], links: ["click"], documents: ["opened", "read", "downloaded"], replies: ["reply", "auto_reply", "meeting"] };
    const mostGroups = 200;
    const toldForMs = 60000;

    // Times

    const relative = "RelativeTimeFormat" in Intl ? new Intl.RelativeTimeFormat(undefined, { numeric: "auto" }) : null;
    const units = [["second", 60], ["minute", 60], ["hour", 24], ["day", 7]];

    function timeInWords(date) {
        let distance = (date.getTime() - Date.now()) / 1000;
        if (relative)
            for (const [unit, size] of units) {
                if (Math.abs(distance) < size)
                    return unit === "second" && Math.abs(distance) < 10 ? "just now" : relative.format(Math.round(distance), unit);
                distance /= size;
            }
        return date.toLocaleDateString(undefined, { dateStyle: "medium" });
    }

    function tellTimes(root) {
        for (const element of root.querySelectorAll("time[datetime]")) {
            const date = new Date(element.dateTime);
            if (isNaN(date))
                continue;
            element.textContent = timeInWords(date);
            element.title = date.toLocaleString();
        }
    }

    tellTimes(document);
    setInterval(() => tellTimes(document), 20000);

    // Entries

    function isOfCampaign(event) {
        const campaign = event.closest(".group").querySelector(".campaign");
        return !feed.dataset.campaign || (campaign !== null && campaign.textContent === feed.dataset.campaign);
    }

    function isWanted(event) {
        const wanted = kinds[feed.dataset.what];
        if (!isOfCampaign(event))
            return false;
        if (feed.dataset.what && (!wanted || !wanted.includes(event.dataset.what)))
            return false;
        return !feed.dataset.people || !event.classList.contains("machine");
    }

    function groupNamed(name) {
        for (const group of feed.querySelectorAll(".group"))
            if (group.dataset.group === name)
                return group;
        return null;
    }

    function highlight(element) {
        element.classList.add("fresh");
        element.addEventListener("animationend", () => element.classList.remove("fresh"), { once: true });
    }

    function takeEntry(html) {
        const template = document.createElement("template");
        template.innerHTML = html;
        const arrived = template.content.querySelector(".group");
        const event = arrived && arrived.querySelector(".event");
        if (!event || document.getElementById(event.id))
            return;
        if (!isWanted(event)) {
            announceAnswer(event);
            return;
        }
        tellTimes(arrived);
        let group = groupNamed(arrived.dataset.group);
        // Whoever reads with the keyboard, or is selecting text, does not lose the place: only order changes above.
        if (group)
            group.querySelector(".events").prepend(event);
        else
            group = arrived;
        const held = document.activeElement;
        feed.prepend(group);
        if (held && held !== document.activeElement && group.contains(held))
            held.focus();
        const empty = feed.querySelector(".empty");
        if (empty)
            empty.remove();
        highlight(group);
        if (isCounted(event))
            count(event, 1);
        for (const old of Array.from(feed.querySelectorAll(".group")).slice(mostGroups))
            old.remove();
        announce(event);
    }

    function isCounted(event) {
        return !event.classList.contains("machine") && event.dataset.verdict !== "self";
    }

    function count(event, more) {
        const number = document.querySelector('[data-counts="' + event.dataset.what + '"]');
        if (!number)
            return;
        const words = number.nextElementSibling;
        number.textContent = Number(number.textContent) + more;
        words.textContent = number.textContent === "1" ? words.dataset.one : words.dataset.many;
    }

    function takeVerdict(text) {
        const [id, verdict, ...doubt] = text.split(" ");
        const event = document.getElementById(id);
        if (!event)
            return;
        const counted = isCounted(event);
        event.classList.remove(event.dataset.verdict, "machine");
        event.dataset.verdict = verdict;
        event.classList.add(verdict);
        if (verdict === "bot" || verdict === "prefetch")
            event.classList.add("machine");
        if (isCounted(event) !== counted)
            count(event, counted ? -1 : 1);
        event.querySelector(".doubt").textContent = doubt.join(" ");
        if (settled.has(event))
            announceView(event);
        if (verdict === "self" || !isWanted(event)) {
            const group = event.closest(".group");
            event.remove();
            if (group && !group.querySelector(".event"))
                group.remove();
        }
    }

    // Notifications: of views once they are settled, of replies and bounces at once; each once, in however many tabs.

    const settled = new WeakSet();

    function announce(event) {
        announceAnswer(event);
        if (event.dataset.what === "view")
            setTimeout(() => {
                settled.add(event);
                announceView(event);
            }, 1000 * Number(event.dataset.settles));
    }

    // Also of one that this page does not show.
    function announceAnswer(event) {
        if (["reply", "bounce", "undelivered"].includes(event.dataset.what))
            show(event);
    }

    function announceView(event) {
        if (event.isConnected && event.dataset.verdict === "human")
            show(event);
    }

    // False when that is known already. A browser that has no storage, or none left, tells twice rather than never.
    function isNews(mark) {
        try {
            if (localStorage.getItem(mark))
                return false;
            localStorage.setItem(mark, String(Date.now()));
        } catch { /* then the lock alone keeps tabs apart */ }
        return true;
    }

    // One tab of several, by a lock; a page that is loaded again finds what was told before. A stored mark alone reaches other tabs late.
    function once(name, tell) {
        const mark = "told " + name;
        const tellNews = () => {
            const news = isNews(mark);
            if (news)
                tell();
            return news;
        };
        if (!navigator.locks)
            tellNews();
        else
            navigator.locks.request(mark, { ifAvailable: true }, (lock) =>
                lock && tellNews() ? new Promise((resolve) => setTimeout(resolve, toldForMs)) : null);
    }

    function forgetTold() {
        try {
            for (const mark of Object.keys(localStorage))
                if (mark.startsWith("told ") && Date.now() - Number(localStorage.getItem(mark)) > 24 * 3600 * 1000)
                    localStorage.removeItem(mark);
        } catch { /* there is nothing to forget */ }
    }

    function show(event) {
        if (!notify || !("Notification" in window) || Notification.permission !== "granted")
            return;
        const group = event.closest(".group");
        once(event.id + " " + event.querySelector("time").dateTime, () => {
            const mail = group.querySelector(".mail a") || group.querySelector(".mail");
            const told = new Notification(group.querySelector("h3").textContent + " " + event.querySelector(".what").textContent, {
                body: mail ? mail.textContent : "", tag: event.id });
            told.onclick = () => {
                window.focus();
                event.scrollIntoView({ block: "center" });
            };
        });
    }

    // A page that is loaded again while a view settles tells of it too.
    if (feed && feed.dataset.live) {
        forgetTold();
        for (const event of feed.querySelectorAll('.event[data-what="view"]'))
            if (Number(event.dataset.settles) > 0)
                announce(event);
    }

    if (notify && feed && feed.dataset.live && "Notification" in window && Notification.permission === "default") {
        notify.hidden = false;
        notify.addEventListener("click", () => Notification.requestPermission().then(() => { notify.hidden = true; }));
    }

    // The stream

    let after = feed ? feed.dataset.after : "";
    let source = null;
    let retry = 1000;

    function say(state, words) {
        live.hidden = false;
        live.className = "live " + state;
        if (live.textContent !== words)
            live.textContent = words;
    }

    // One of too many open pages; the one that is looked at goes on.
    function pause() {
        source.close();
        say("off", "Paused, for it is open in many tabs");
        const resume = () => {
            if (document.visibilityState !== "visible" || source.readyState !== EventSource.CLOSED)
                return;
            document.removeEventListener("visibilitychange", resume);
            window.removeEventListener("focus", resume);
            listen();
        };
        document.addEventListener("visibilitychange", resume);
        window.addEventListener("focus", resume);
    }

    function listen() {
        if (source && source.readyState !== EventSource.CLOSED)
            return; // whoever looks at a paused page while it waits to be let in again
        source = new EventSource(feed.dataset.live + "?after=" + encodeURIComponent(after));
        source.onopen = () => {
            retry = 1000;
            say("on", "Live");
        };
        source.addEventListener("entry", (message) => takeEntry(message.data));
        source.addEventListener("verdict", (message) => takeVerdict(message.data));
        source.addEventListener("mark", (message) => { after = message.lastEventId; });
        source.addEventListener("reload", () => location.reload());
        source.addEventListener("busy", pause);
        source.addEventListener("over", () => location.reload());
        source.onerror = () => {
            say("off", "Reconnecting…");
            if (source.readyState !== EventSource.CLOSED)
                return;
            // Refused, as while the daemon or its database starts: the browser would not try again.
            setTimeout(listen, retry);
            retry = Math.min(retry * 2, 30000);
        };
    }

    if (feed && feed.dataset.live && "EventSource" in window) {
        say("", "Connecting…");
        listen();
        window.addEventListener("pagehide", () => source.close());
        window.addEventListener("pageshow", (event) => { if (event.persisted) listen(); });
    }
    const campaign = document.querySelector(".search select");
    if (campaign)
        campaign.addEventListener("change", () => campaign.form.submit());
})();
