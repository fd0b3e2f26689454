-- SPDX-License-Identifier: BSD-2-Clause
-- The outbox: what goes to a CRM, a webhook or a mailbox, by which rules, and how far it has come.

create type spoor.outbox_state as enum ('waiting', 'sent', 'dropped', 'dead');
comment on type spoor.outbox_state is 'What became of something that was to go out: it waits, it was taken, it was not worth sending after all, or it was given up; see spoor.retry_outbox().';

create function spoor.is_event_word(word text) returns boolean
    language sql immutable strict parallel safe
    as $$ select $1 in ('sent', 'digest')
        or exists (select from generate_series(33, 126) code where spoor.event_kind_name(chr(code)::"char") = $1) $$;
comment on function spoor.is_event_word(text) is 'Whether a sink can be told of this: sent, a word of spoor.event_kind_name(), or digest.';

create function spoor.are_event_words(words text[]) returns boolean
    language sql immutable strict parallel safe
    as $$ select cardinality($1) > 0 and bool_and(coalesce(spoor.is_event_word(w), false)) from unnest($1) w $$;
comment on function spoor.are_event_words(text[]) is 'Whether all of these are words of spoor.is_event_word(), and there is one.';

create table spoor.sink (
    name text primary key check (name ~ '^[A-Za-z0-9_-]{1,60}$'),
    type text not null,
    reply_text boolean not null,
    trouble text,
    trouble_since timestamptz,
    seen_at timestamptz not null default now()
);
comment on table spoor.sink is 'The sinks of spoor.conf, as every spoor-relay tells them when it starts.';
comment on column spoor.sink.name is 'Its name there.';
comment on column spoor.sink.type is 'salesforce, webhook or mail.';
comment on column spoor.sink.reply_text is 'Whether it wants the text of replies.';
comment on column spoor.sink.trouble is 'Why nothing goes there at present; null while all is well.';
comment on column spoor.sink.trouble_since is 'Since when.';
comment on column spoor.sink.seen_at is 'When a spoor-relay last told of it.';

create table spoor.sink_rule (
    number integer generated always as identity primary key,
    sink text not null check (sink ~ '^[A-Za-z0-9_-]{1,60}$'),
    what text[] not null default '{reply}' check (spoor.are_event_words(what)),
    sender text check (sender = lower(sender) and sender <> ''),
    campaign text check (campaign !~ '(^|[^\\])(\\\\)*\\$'), -- LIKE would stop the loader at such an end
    note text
);
comment on table spoor.sink_rule is 'What goes to which sink. An event goes to a sink once when any of its rules fits, from the moment on that the rule is there: what was loaded before does not. Try: insert into spoor.sink_rule (sink) values (''crm'');';
comment on column spoor.sink_rule.number is 'For update and delete.';
comment on column spoor.sink_rule.sink is 'Name of a sink in spoor.conf.';
comment on column spoor.sink_rule.what is 'sent, view, click, reply and all other words of spoor.feed.what; digest is a mail a day for who wants one, see spoor.mail_choice.';
comment on column spoor.sink_rule.sender is 'Only mails of this owner, of this address in From, or of anybody at this domain; null: of all.';
comment on column spoor.sink_rule.campaign is 'Only mails of this campaign, % stands for any characters; null: all mails.';
comment on column spoor.sink_rule.note is 'For people.';

create table spoor.mail_choice (
    owner text primary key,
    at_once text[] not null default '{view,reply,bounce}' check (at_once = '{}' or spoor.are_event_words(at_once)),
    digest boolean not null default false,
    digest_at time not null default '07:00',
    time_zone text not null default 'UTC' check (timestamptz '2000-01-01 00:00+00' at time zone time_zone is not null),
    address text check (address ~ '^[^[:space:]<>"]+@[^[:space:]<>"@]+$')
);
comment on table spoor.mail_choice is 'What a sender wants to be mailed by sinks of type mail, of what the rules let through. Who is not here gets all of that at once, and no digest.';
comment on column spoor.mail_choice.owner is 'The sender, as in spoor.message.owner.';
comment on column spoor.mail_choice.at_once is 'Of what he wants a mail as it happens.';
comment on column spoor.mail_choice.digest is 'Whether he wants a mail a day; a rule must let digest through.';
comment on column spoor.mail_choice.digest_at is 'When.';
comment on column spoor.mail_choice.time_zone is 'Where; a name of pg_timezone_names.';
comment on column spoor.mail_choice.address is 'Where to; null: the owner, if that is an address.';

create table spoor.outbox (
    number bigint generated always as identity primary key,
    key uuid not null unique,
    sink text not null,
    what text not null,
    message bigint not null,
    record bigint not null,
    spool smallint not null,
    owner text,
    at_time timestamptz not null,
    due_at timestamptz not null,
    next_at timestamptz not null,
    attempts integer not null default 0,
    state spoor.outbox_state not null default 'waiting',
    lease uuid,
    leased_until timestamptz,
    ended_at timestamptz,
    result text
);
create index outbox_next on spoor.outbox (sink, next_at) where state = 'waiting';
create index outbox_mail on spoor.outbox (sink, message, due_at, number) where state = 'waiting';
create index outbox_dead on spoor.outbox (sink, message) where state = 'dead';
create index outbox_ended on spoor.outbox (ended_at) where state <> 'waiting';
comment on table spoor.outbox is 'What goes to a sink, one row each; written in the transaction that loads what it is about.';
comment on column spoor.outbox.number is 'Counts them.';
comment on column spoor.outbox.key is 'Made of what it is about, so that the same has the same key also when it is loaded a second time: the other side can tell that it has it already.';
comment on column spoor.outbox.sink is 'Where it goes.';
comment on column spoor.outbox.what is 'A word of spoor.sink_rule.what.';
comment on column spoor.outbox.message is 'The mail; 0: none. What is about one mail goes in order.';
comment on column spoor.outbox.record is 'Record of the event; 0: none.';
comment on column spoor.outbox.spool is 'Spool of the event; 0: none.';
comment on column spoor.outbox.owner is 'Whose digest; null for all else.';
comment on column spoor.outbox.at_time is 'When it happened.';
comment on column spoor.outbox.due_at is 'When it may go; what may be a machine''s doing waits for spoor.verdict_setting.verdict_settle.';
comment on column spoor.outbox.next_at is 'When it is tried next.';
comment on column spoor.outbox.attempts is 'How often it was tried.';
comment on column spoor.outbox.state is 'waiting, sent, dropped or dead.';
comment on column spoor.outbox.lease is 'Which session of a spoor-relay works on it.';
comment on column spoor.outbox.leased_until is 'Until then no other takes it.';
comment on column spoor.outbox.ended_at is 'Since when it does not wait any more.';
comment on column spoor.outbox.result is 'What the other side said last, or why it was dropped.';

create table spoor.outbox_early (
    message bigint not null,
    spool smallint not null,
    record bigint not null,
    kind "char" not null,
    at_time timestamptz not null,
    recipient integer not null,
    link smallint not null,
    primary key (message, spool, record)
);
create index outbox_early_at_time on spoor.outbox_early (at_time);
comment on table spoor.outbox_early is 'Events that came before their mail, about which some rules ask.';
comment on column spoor.outbox_early.message is 'The mail that is not here yet.';
comment on column spoor.outbox_early.spool is 'Spool of the event.';
comment on column spoor.outbox_early.record is 'Record of the event.';
comment on column spoor.outbox_early.kind is 'As in spoor.event.';
comment on column spoor.outbox_early.at_time is 'As in spoor.event.';
comment on column spoor.outbox_early.recipient is 'As in spoor.event.';
comment on column spoor.outbox_early.link is 'As in spoor.event.';

create function spoor.wants_reply_text() returns boolean
    language sql stable security definer
    set search_path = pg_catalog, pg_temp
    as $$ select exists (select from spoor.sink_rule r join spoor.sink s on s.name = r.sink
                         where s.reply_text and 'reply' = any (r.what)) $$;
comment on function spoor.wants_reply_text() is 'Whether a sink that gets replies wants their text; spoor-match asks before it keeps any.';

-- Filling

create function spoor.route_events(events spoor.outbox_early[], mails bigint[]) returns void
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
declare
    wanted text[] := array(select distinct w from spoor.sink_rule r cross join unnest(r.what) w);
    filled bigint;
begin
    with told as (
        select spoor.event_kind_name(e.kind) as what, e.message, e.spool, e.record, e.at_time,
               spoor.is_judged(e.kind) or e.kind = 'U' as settles,
               coalesce(encode(a.digest, 'hex'), concat_ws(' ', e.recipient, e.link, extract(epoch from e.at_time), f.address,
                   case when e.kind = 'R' then e.record end)) as about,
               coalesce(m.owner, f.owner) as owner, coalesce(m.sender, f.sender) as sender,
               coalesce(m.campaign, f.campaign) as campaign
        from unnest(events) e
        left join spoor.message m on m.id = e.message
        left join spoor.answer a on a.message = e.message and a.spool = e.spool and a.record = e.record
        left join spoor.campaign_refusal f on e.kind = 'f' and f.spool = e.spool and f.record = e.record
        where spoor.event_kind_name(e.kind) = any (wanted) and (m.id is not null or e.message = 0)
        union all
        select 'sent', m.id, 0::smallint, 0, m.sent_at, false, '', m.owner, m.sender, m.campaign
        from spoor.message m where 'sent' = any (wanted) and m.id = any (mails))
    insert into spoor.outbox (key, sink, what, message, record, spool, at_time, due_at, next_at)
        select md5(concat_ws(' ', r.sink, t.what, t.message, t.about))::uuid, r.sink, t.what, t.message, t.record, t.spool,
               t.at_time, d.due_at, d.due_at
        from told t
        cross join spoor.verdict_setting s
        -- from now on, not from when it happened: only what is here is judged again
        cross join lateral (select now() + case when t.settles then s.verdict_settle else '0' end as due_at) d
        cross join lateral (
            select distinct q.sink from spoor.sink_rule q
            where t.what = any (q.what) and (q.campaign is null or t.campaign like q.campaign)
                  and (q.sender is null or q.sender in (t.owner, t.sender, split_part(t.owner, '@', 2), split_part(t.sender, '@', 2)))) r
        order by t.at_time, t.record
        on conflict (key) do nothing;
    get diagnostics filled = row_count;
    if filled > 0 then
        perform pg_notify('spoor_outbox', '');
    end if;
end $$;
comment on function spoor.route_events(spoor.outbox_early[], bigint[]) is 'What the rules want of these events, and of the sending of these mails, goes into the outbox.';

create function spoor.fill_outbox(mails bigint[], messages bigint[], spool smallint, records bigint[], kinds text[],
                                  times bigint[], recipients integer[], links smallint[]) returns void
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
declare
    events spoor.outbox_early[];
    early spoor.outbox_early[];
begin
    select array_agg(row(e.message, fill_outbox.spool, e.record, e.kind, spoor.from_microseconds(e.at), e.recipient,
                         e.link)::spoor.outbox_early)
        into events
        from unnest(messages, records, kinds, times, recipients, links) e (message, record, kind, at, recipient, link);
    insert into spoor.outbox_early
        select e.* from unnest(events) e
        where e.message <> 0 and not exists (select from spoor.message m where m.id = e.message)
              and exists (select from spoor.sink_rule r where spoor.event_kind_name(e.kind) = any (r.what))
        on conflict do nothing;
    with found as (delete from spoor.outbox_early o where o.message = any (mails) returning o.*)
        select array_agg(f::spoor.outbox_early) into early from found f;
    perform spoor.route_events(events || early, mails);
end $$;
comment on function spoor.fill_outbox(bigint[], bigint[], smallint, bigint[], text[], bigint[], integer[], smallint[]) is 'Within a loader''s transaction, when there are rules: takes the mails and events that it has just brought.';

create function spoor.route_early() returns void
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
declare
    early spoor.outbox_early[];
begin
    with found as (
        delete from spoor.outbox_early o where exists (select from spoor.message m where m.id = o.message) returning o.*)
        select array_agg(f::spoor.outbox_early) into early from found f;
    if early is not null then
        perform spoor.route_events(early, '{}');
    end if;
    delete from spoor.outbox_early o where o.at_time < now() - interval '30 days';
end $$;
comment on function spoor.route_early() is 'Takes events whose mail has come: when both were loaded at the same moment, neither loader saw the other''s. Forgets what waits for longer than any spool does.';

-- What a sink is told

create function spoor.utc_text(at timestamptz) returns text
    language sql immutable strict parallel safe
    as $$ select to_char($1 at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') $$;
comment on function spoor.utc_text(timestamptz) is 'A time as RFC 3339 writes it.';

-- plpgsql, for the feed is made later
create function spoor.outbox_item(one spoor.outbox, with_text boolean) returns jsonb
    language plpgsql stable
    set search_path = pg_catalog, pg_temp
    as $$
begin
    return (
        select jsonb_strip_nulls(jsonb_build_object(
            'id', one.key, 'what', one.what, 'at', spoor.utc_text(one.at_time),
            'gap', nullif(exists (select from spoor.outbox d where d.sink = one.sink and d.message = one.message and d.message <> 0
                                  and d.state = 'dead' and (d.due_at, d.number) < (one.due_at, one.number)), false),
            'person', coalesce(f.address, spoor.answer_person(a), spoor.recipient_name(e.message, e.recipient)),
            'recipients', case when one.what = 'sent' then
                (select jsonb_agg(r.address order by r.address) from (select s.address from spoor.recipient s
                    where s.message = one.message order by s.address limit 50) r) end,
            'message', case when m.id is not null then jsonb_build_object(
                'id', m.id::text, 'sent_at', spoor.utc_text(m.sent_at), 'subject', m.subject, 'owner', m.owner, 'sender', m.sender,
                'campaign', m.campaign, 'sent_to', m.sent_to) end,
            'answer', case when a.message is not null then jsonb_build_object(
                'from', a.from_address, 'subject', a.subject, 'message_id', a.message_id,
                'answerer', spoor.answerer_name(a.message, a.from_address, a.answerer), 'about', a.about, 'status', a.status,
                'hard', a.hard, 'text', case when with_text then a.text end) end,
            'refusal', case when f.campaign is not null then jsonb_build_object(
                'campaign', f.campaign, 'reason', f.reason, 'owner', f.owner, 'sender', f.sender, 'subject', f.subject) end,
            'link', case when l.destination is not null then jsonb_build_object(
                'number', l.number::integer & 65535, 'destination', l.destination) end,
            'verdict', case when spoor.is_judged(e.kind) then spoor.verdict_name(e.verdict) end,
            'detail', case when spoor.is_judged(e.kind) or e.kind = 'U' then
                (select i.detail from spoor.feed_item i where i.message = e.message and i.spool = e.spool and i.record = e.record limit 1) end))
        from (select one.message as id) o
        left join spoor.message m on m.id = o.id
        left join spoor.judged_event e on e.message = o.id and e.spool = one.spool and e.record = one.record and one.record > 0
        left join spoor.answer a on a.message = e.message and a.spool = e.spool and a.record = e.record
        left join spoor.link l on l.message = e.message and l.number = e.link and e.kind = 'c'
        left join spoor.campaign_refusal f on e.kind = 'f' and f.spool = e.spool and f.record = e.record
        limit 1);
end $$;
comment on function spoor.outbox_item(spoor.outbox, boolean) is 'All that a sink is told about one row of the outbox; contrib/webhook/event.schema.json describes it.';

create function spoor.digest_item(one spoor.outbox) returns jsonb
    language plpgsql stable
    set search_path = pg_catalog, pg_temp
    as $$
begin
    return (
        with happened as (
            select e.at_time, e.kind, m.subject, e.spool, e.record, e.message
            from spoor.message m join spoor.judged_event e on e.message = m.id
            where m.owner = one.owner and e.at_time >= one.at_time - interval '1 day' and e.at_time < one.at_time
                  and spoor.is_counted(e.kind, e.verdict)),
        newest as (select h.* from happened h order by h.at_time desc limit 100)
        select jsonb_build_object(
            'id', one.key, 'what', 'digest', 'at', spoor.utc_text(one.at_time), 'owner', one.owner,
            'events', (select count(*) from happened),
            'items', coalesce((
                select jsonb_agg(jsonb_strip_nulls(jsonb_build_object('at', spoor.utc_text(n.at_time), 'what', i.what,
                    'person', i.person, 'subject', i.subject, 'detail', i.detail)) order by n.at_time desc)
                from newest n cross join lateral (select * from spoor.feed_item f where f.message = n.message and f.spool = n.spool
                                                                                 and f.record = n.record offset 0) i), '[]')));
end $$;
comment on function spoor.digest_item(spoor.outbox) is 'What happened to an owner''s mails in the day before; the newest hundred, and how many in all.';

-- Sending

create function spoor.outbox_refusal(one spoor.outbox, by_choice boolean) returns text
    language sql stable
    as $$
    select case
        when one.what = 'digest' then null
        when by_choice and not coalesce(
            (select one.what = any (c.at_once) from spoor.mail_choice c
             where c.owner = coalesce((select m.owner from spoor.message m where m.id = one.message),
                                      (select f.owner from spoor.campaign_refusal f where f.spool = one.spool and f.record = one.record))), true)
            then 'not chosen'
        when one.message <> 0 and not exists (select from spoor.message m where m.id = one.message) then 'forgotten'
        when one.record = 0 then null
        when e.record is null then 'forgotten'
        when e.kind = 'U' and not spoor.is_counted(e.kind, e.verdict) then 'a bounce tells'
        when not spoor.is_judged(e.kind) then null
        when not spoor.is_counted(e.kind, e.verdict) then 'a machine'
        when e.kind not in ('O', 'R') and exists ( -- of documents only what is new in a visit has an event
            select from spoor.judged_event b cross join spoor.verdict_setting s
            where b.message = e.message and b.recipient = e.recipient and b.kind = e.kind and b.link = e.link
                  and spoor.place_of(b.address) = spoor.place_of(e.address) and spoor.is_counted(b.kind, b.verdict)
                  and b.at_time < e.at_time and b.at_time >= e.at_time - s.repeat_window) then 'repeated'
    end
    from (select 1) o
    left join spoor.judged_event e on e.message = one.message and e.spool = one.spool and e.record = one.record
    limit 1 $$;
comment on function spoor.outbox_refusal(spoor.outbox, boolean) is 'Why this is not worth sending after all; null when it is. Repeats count as the one before, as in spoor.counted_event.';

create function spoor.claim_outbox(sink text, lease uuid, lease_for interval, most integer, with_text boolean, by_choice boolean)
    returns table (number bigint, key text, attempts integer, item text, message bigint)
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
declare
    claimed bigint[];
begin
    loop
        with head as (
            select o.number from spoor.outbox o
            where o.sink = claim_outbox.sink and o.state = 'waiting' and o.next_at <= now()
                  and (o.leased_until is null or o.leased_until < now())
                  and (o.message = 0 or not exists (
                      select from spoor.outbox b
                      where b.sink = o.sink and b.message = o.message and b.state = 'waiting'
                            and (b.due_at, b.number) < (o.due_at, o.number)))
            order by o.next_at, o.number limit most for update skip locked),
        taken as (
            update spoor.outbox o set lease = claim_outbox.lease, leased_until = now() + lease_for
            from head h where o.number = h.number returning o.number)
        select array_agg(t.number) into claimed from taken t;
        exit when claimed is null;
        update spoor.outbox o set state = 'dropped', lease = null, leased_until = null, ended_at = now(), result = r.reason
            from (select w.number, spoor.outbox_refusal(w, by_choice) as reason from spoor.outbox w where w.number = any (claimed)) r
            where o.number = r.number and r.reason is not null;
        return query
            select o.number, o.key::text, o.attempts,
                   (case when o.what = 'digest' then spoor.digest_item(o) else spoor.outbox_item(o, with_text) end
                    || case when by_choice then jsonb_strip_nulls(jsonb_build_object('to', coalesce(
                        (select c.address from spoor.mail_choice c
                         where c.owner = coalesce(o.owner, m.owner, f.owner)), o.owner, m.owner, f.owner))) else '{}' end)::text,
                   o.message
            from spoor.outbox o
            left join spoor.message m on m.id = o.message
            left join spoor.campaign_refusal f on f.spool = o.spool and f.record = o.record and o.what = 'refused'
            where o.number = any (claimed) and o.state = 'waiting' order by o.next_at, o.number;
        exit when found;
    end loop;
end $$;
comment on function spoor.claim_outbox(text, uuid, interval, integer, boolean, boolean) is 'The next rows that may go, no two about one mail, held for a while by the one who asks; what is not worth sending is dropped on the way.';

create function spoor.end_outbox(lease uuid, numbers bigint[], outcomes text[], results text[], waits bigint[]) returns integer
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
declare
    ended integer;
begin
    update spoor.outbox o
        set state = case when n.outcome in ('sent', 'dropped', 'dead') then n.outcome::spoor.outbox_state else 'waiting' end,
            attempts = o.attempts + case when n.outcome in ('later', 'dropped') then 0 else 1 end,
            ended_at = case when n.outcome in ('sent', 'dropped', 'dead') then now() end,
            next_at = now() + n.wait * interval '1 millisecond',
            result = left(n.result, 1000), lease = null, leased_until = null
        from unnest(numbers, outcomes, results, waits) n (number, outcome, result, wait)
        where o.number = n.number and o.lease = end_outbox.lease and o.state = 'waiting';
    get diagnostics ended = row_count;
    -- what is behind them waits as long, and so is not looked at in vain
    update spoor.outbox b set next_at = o.next_at
        from spoor.outbox o
        where o.number = any (numbers) and o.state = 'waiting' and o.message <> 0 and b.sink = o.sink and b.message = o.message
              and b.state = 'waiting' and (b.due_at, b.number) > (o.due_at, o.number) and b.next_at < o.next_at;
    return ended;
end $$;
comment on function spoor.end_outbox(uuid, bigint[], text[], text[], bigint[]) is 'What became of claimed rows: sent, dropped, dead, again (in so many milliseconds; it was their fault) or later (it was not). Rows that another has taken meanwhile stay as they are.';

create function spoor.next_outbox(sink text) returns bigint
    language sql stable security definer
    set search_path = pg_catalog, pg_temp
    as $$
    select (extract(epoch from greatest(o.next_at, o.leased_until) - clock_timestamp()) * 1000)::bigint
    from spoor.outbox o
    where o.sink = $1 and o.state = 'waiting'
          and (o.message = 0 or not exists (
              select from spoor.outbox b where b.sink = o.sink and b.message = o.message and b.state = 'waiting'
                  and (b.due_at, b.number) < (o.due_at, o.number)))
    order by o.next_at limit 1 $$;
comment on function spoor.next_outbox(text) is 'Milliseconds until the next row may be claimed; null when none waits.';

create function spoor.retry_outbox(sink text default null, number bigint default null) returns bigint
    language plpgsql
    set search_path = pg_catalog, pg_temp
    as $$
declare
    revived bigint;
begin
    update spoor.outbox o
        set state = 'waiting', attempts = 0, next_at = now(), ended_at = null, result = null
        where o.state = 'dead' and (retry_outbox.sink is null or o.sink = retry_outbox.sink)
              and (retry_outbox.number is null or o.number = retry_outbox.number);
    get diagnostics revived = row_count;
    perform pg_notify('spoor_outbox', '');
    return revived;
end $$;
comment on function spoor.retry_outbox(text, bigint) is 'Tries again what was given up: of one sink or all, one row or all; gives how many.';

create function spoor.prune_outbox(age interval default '30 days') returns bigint
    language sql security definer
    set search_path = pg_catalog, pg_temp
    as $$ with pruned as (delete from spoor.outbox o where o.state in ('sent', 'dropped') and o.ended_at < now() - $1 returning 1)
        select count(*) from pruned $$;
comment on function spoor.prune_outbox(interval) is 'Deletes what was sent or dropped longer ago, gives how much; spoor-relay calls it. What is kept tells a record that is loaded a second time, so let it be more than spool_keep.';

create function spoor.add_digests(sink text) returns void
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
begin
    insert into spoor.outbox (key, sink, what, message, record, spool, owner, at_time, due_at, next_at)
        select md5(concat_ws(' ', add_digests.sink, 'digest', c.owner, d.at))::uuid, add_digests.sink, 'digest', 0, 0, 0, c.owner,
               d.at, now(), now()
        from spoor.mail_choice c
        cross join lateral (select now() at time zone c.time_zone as here) w
        cross join lateral (select ((w.here - c.digest_at)::date + c.digest_at) at time zone c.time_zone as at) d
        where c.digest and d.at > now() - interval '6 hours' -- not for a day that was missed
              and exists (select from spoor.sink_rule r
                          where r.sink = add_digests.sink and 'digest' = any (r.what)
                                and (r.sender is null or r.sender in (c.owner, split_part(c.owner, '@', 2))))
        on conflict (key) do nothing;
end $$;
comment on function spoor.add_digests(text) is 'Puts the digests whose time has come into the outbox, each once.';

create function spoor.enter_sink(name text, type text, reply_text boolean, trouble text) returns void
    language sql security definer
    set search_path = pg_catalog, pg_temp
    as $$
    insert into spoor.sink as s (name, type, reply_text, trouble, trouble_since)
        values ($1, $2, $3, left($4, 1000), case when $4 is not null then now() end)
        on conflict (name) do update set type = excluded.type, reply_text = excluded.reply_text, trouble = excluded.trouble,
            trouble_since = case when excluded.trouble is not null then coalesce(s.trouble_since, now()) end, seen_at = now() $$;
comment on function spoor.enter_sink(text, text, boolean, text) is 'A spoor-relay tells of a sink in its spoor.conf, and what keeps it from working.';

create function spoor.outbox_lag()
    returns table (sink text, type text, due bigint, waiting bigint, dead bigint, lag_s bigint, trouble text)
    language sql stable security definer rows 10
    set search_path = pg_catalog, pg_temp
    as $$
    select n.name, s.type, coalesce(o.due, 0), coalesce(o.waiting, 0), coalesce(o.dead, 0), coalesce(o.lag_s, 0), s.trouble
    from (select k.name from spoor.sink k union select r.sink from spoor.sink_rule r) n
    left join spoor.sink s on s.name = n.name
    left join (
        select b.sink, count(*) filter (where b.state = 'waiting' and b.due_at <= now()) as due,
               count(*) filter (where b.state = 'waiting') as waiting, count(*) filter (where b.state = 'dead') as dead,
               extract(epoch from now() - min(b.due_at) filter (where b.state = 'waiting' and b.due_at <= now()))::bigint as lag_s
        from spoor.outbox b where b.state in ('waiting', 'dead') group by b.sink) o on o.sink = n.name
    order by n.name $$;
comment on function spoor.outbox_lag() is 'How far each sink is behind: what is due, for how many seconds the oldest of that has been, what was given up, and what keeps the sink from working.';

create view spoor.outbox_report as
select sink, type, due, waiting, dead, lag_s * interval '1 second' as lag, trouble from spoor.outbox_lag();
comment on view spoor.outbox_report is 'How far each sink is behind.';
comment on column spoor.outbox_report.sink is 'The sink.';
comment on column spoor.outbox_report.type is 'Its type; null: no spoor-relay has told of it yet.';
comment on column spoor.outbox_report.due is 'How much could have gone already.';
comment on column spoor.outbox_report.waiting is 'How much waits in all.';
comment on column spoor.outbox_report.dead is 'How much was given up; spoor.retry_outbox() revives it.';
comment on column spoor.outbox_report.lag is 'For how long the oldest that is due has been.';
comment on column spoor.outbox_report.trouble is 'What keeps the sink from working.';

-- Rights

grant select on spoor.schema, spoor.shard to spoor_relay;
grant execute on function spoor.claim_outbox(text, uuid, interval, integer, boolean, boolean),
    spoor.end_outbox(uuid, bigint[], text[], text[], bigint[]), spoor.next_outbox(text), spoor.route_early(), spoor.prune_outbox(interval),
    spoor.add_digests(text), spoor.enter_sink(text, text, boolean, text), spoor.outbox_lag() to spoor_relay;
grant execute on function spoor.outbox_lag() to spoor_milter, spoor_pixeld, spoor_delivery;
grant execute on function spoor.wants_reply_text() to spoor_milter;
grant execute on function spoor.fill_outbox(bigint[], bigint[], smallint, bigint[], text[], bigint[], integer[], smallint[])
    to spoor_milter, spoor_pixeld;
grant select (number) on spoor.sink_rule to spoor_milter, spoor_pixeld, spoor_delivery;
grant insert, update, delete on spoor.sink_rule, spoor.mail_choice to spoor_admin;
grant delete on spoor.sink, spoor.outbox to spoor_admin;
grant update (state, attempts, next_at, ended_at, result) on spoor.outbox to spoor_admin;
