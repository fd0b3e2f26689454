-- SPDX-License-Identifier: BSD-2-Clause
-- Views of events: the verdict that holds, and what counts.

create function spoor.later_verdict(kind "char", spool smallint, record bigint) returns table (verdict "char", reason smallint)
    language sql stable rows 1 parallel safe
    as $$
    select c.verdict, c.reason from spoor.event_verdict c
    where (spoor.is_judged($1) or $1 = 'U') and c.spool = $2 and c.record = $3
    order by c.number desc limit 1 $$;
comment on function spoor.later_verdict("char", smallint, bigint) is 'The verdict that was given last on an event after the first; no row when that holds.';

create view spoor.judged_event as
select e.at_time,
       e.message,
       e.record,
       e.recipient,
       e.agent,
       e.spool,
       e.link,
       e.kind,
       coalesce(v.verdict, e.verdict) as verdict,
       coalesce(v.reason, e.reason) as reason,
       e.address,
       e.verdict as first_verdict,
       e.reason as first_reason
from spoor.event e
left join lateral spoor.later_verdict(e.kind, e.spool, e.record) v on true;
comment on view spoor.judged_event is 'spoor.event with the verdict that holds now.';
comment on column spoor.judged_event.at_time is 'As in spoor.event.';
comment on column spoor.judged_event.message is 'As in spoor.event.';
comment on column spoor.judged_event.record is 'As in spoor.event.';
comment on column spoor.judged_event.recipient is 'As in spoor.event.';
comment on column spoor.judged_event.agent is 'As in spoor.event.';
comment on column spoor.judged_event.spool is 'As in spoor.event.';
comment on column spoor.judged_event.link is 'As in spoor.event.';
comment on column spoor.judged_event.kind is 'As in spoor.event.';
comment on column spoor.judged_event.verdict is 'The last verdict.';
comment on column spoor.judged_event.reason is 'Its reason.';
comment on column spoor.judged_event.address is 'As in spoor.event.';
comment on column spoor.judged_event.first_verdict is 'The verdict at the request.';
comment on column spoor.judged_event.first_reason is 'Its reason.';

create view spoor.counted_event as
select e.at_time,
       e.message,
       e.recipient,
       e.kind,
       e.link,
       e.verdict,
       e.kind in ('v', 'c') and e.address is not null
           and coalesce(e.at_time - lag(e.at_time) over same <= s.repeat_window, false) as repeated
from spoor.judged_event e
cross join spoor.verdict_setting s
where spoor.is_counted(e.kind, e.verdict)
window same as (partition by e.message, e.recipient, e.kind, e.link, spoor.place_of(e.address) order by e.at_time);
comment on view spoor.counted_event is 'The events that count, and which of them repeat one from the same network: these are rows, but no further view or click.';
comment on column spoor.counted_event.at_time is 'As in spoor.event.';
comment on column spoor.counted_event.message is 'As in spoor.event.';
comment on column spoor.counted_event.recipient is 'As in spoor.event.';
comment on column spoor.counted_event.kind is 'As in spoor.event.';
comment on column spoor.counted_event.link is 'As in spoor.event.';
comment on column spoor.counted_event.verdict is 'The last verdict.';
comment on column spoor.counted_event.repeated is 'Whether it counts as the one before; see spoor.verdict_setting.repeat_window.';
