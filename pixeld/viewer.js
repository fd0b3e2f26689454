// SPDX-License-Identifier: BSD-2-Clause
// Counts how long each page is in sight and tells the server: see beacon.h. What is counted only grows, so that a report
// that comes twice or late does no harm.
(() => {
    "use strict";
    const set = document.body.dataset;
    const pages = document.querySelectorAll("section");
    const shown = document.getElementById("at");
    const ms = [];
    const born = performance.now();
    let last = born, moved = born, sent = born; // times of the last tick, the last use, the last report
    let seen = false, at = 0; // since the last tick: in sight at all, and which page
    let total = 0, used = 0, number = 0, news = false;

    // The page with the largest visible part.
    function current() {
        let best = 0, most = 0;
        pages.forEach((page, n) => {
            const box = page.getBoundingClientRect();
            const part = Math.min(box.bottom, innerHeight) - Math.max(box.top, 0);
            if (part > most) {
                most = part;
                best = n + 1;
            }
        });
        return best;
    }

    function report(left) {
        sent = last;
        news = false;
        if (!set.view || total < 1000)
            return;
        const words = [set.view, ++number, Math.round(total), used, +!!navigator.webdriver, left ? 0 : at];
        ms.forEach((time, page) => words.push(page + ":" + Math.round(time)));
        navigator.sendBeacon(set.beacon, words.join(" "));
    }

    // A long gap is no reading: the machine slept.
    function tick() {
        const now = performance.now(), passed = now - last;
        last = now;
        if (seen && passed < 11000 && now - moved < set.idle * 1000) {
            total += passed;
            if (at)
                ms[at] = (ms[at] || 0) + passed;
            news = true;
        }
        seen = document.visibilityState === "visible";
        at = seen ? current() : 0;
        if (at && shown)
            shown.textContent = at;
        if (news && (number ? now - sent >= 5000 : total >= 1000))
            report();
    }

    function use(event) {
        moved = performance.now();
        if (event.isTrusted && moved - born > 500 && used < 9999) {
            used++;
            news = true;
        }
    }

    function leave() {
        tick();
        seen = false;
        report(true);
    }

    function turn(event) {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!step || event.altKey || event.ctrlKey || event.metaKey || !pages[at - 1 + step])
            return;
        event.preventDefault();
        pages[at - 1 + step].scrollIntoView();
    }

    for (const name of ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"])
        addEventListener(name, use, { passive: true });
    addEventListener("scroll", () => {
        moved = performance.now();
        tick();
    }, { passive: true });
    addEventListener("keydown", turn);
    document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" ? leave() : tick());
    addEventListener("pagehide", leave);
    addEventListener("pageshow", tick);
    setInterval(tick, 250);
    tick();
})();
