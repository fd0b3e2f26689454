-- SPDX-License-Identifier: BSD-2-Clause
-- The page at /feed: functions that take the secret of a session and give what its sender may see.

create type spoor.feed_entry as (
    batch bigint, record bigint, spool smallint, at_time text, what text, owner text, person text, subject text, detail text,
    verdict text, reason text, message bigint, campaign text, status text, hardness text, address text, agent text,
    recipient integer, forwarded boolean, settles_in integer);
comment on type spoor.feed_entry is 'An event as the page shows it; the time is ISO 8601 in UTC, settles_in the seconds until the verdict is not expected to change.';

create function spoor.forwarded_of(message bigint) returns setof integer
    language plpgsql stable
    set plan_cache_mode = force_generic_plan -- a plan for all partitions takes longer to make than to use
    as $$
begin
    return query
        select v.recipient
        from (select e.agent, e.address, e.verdict, e.recipient from spoor.judged_event e
              where e.message = forwarded_of.message limit 5000) v
        where v.recipient <> 0 and v.verdict = 'h' and v.address is not null
        group by v.recipient
        having count(distinct (v.agent, spoor.place_of(v.address))) >= 3 and count(distinct spoor.place_of(v.address)) >= 3;
end $$;
comment on function spoor.forwarded_of(bigint) is 'Recipients for whom what was sent to one of them was seen by persons in three networks or more: then it was probably forwarded.';

create function spoor.feed_entries(places spoor.feed_place[]) returns setof spoor.feed_entry
    language plpgsql stable rows 20
    set plan_cache_mode = force_generic_plan
    set max_parallel_workers_per_gather = 0 set jit = off
    as $$
begin
    return query
    with entry as materialized (
        select p.batch, f.* from unnest(places) p
        -- by time alone: the number 0 of a mail stands for too many
        cross join lateral (select * from spoor.feed_item i where i.at_time = p.at_time and i.spool = p.spool
                                                                  and i.record = p.record offset 0) f),
    -- once for what many entries are of
    forwarded as materialized (
        select o.message, w.recipient
        from (select distinct e.message from entry e where spoor.is_judged(e.kind) and e.counted and e.recipient <> 0) o
        cross join lateral spoor.forwarded_of(o.message) w (recipient))
    select e.batch, e.record, e.spool, to_char(e.at_time at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), e.what, e.owner, e.person,
           e.subject, e.detail, e.verdict, e.reason, e.message, e.campaign, e.status, e.hardness, host(e.address), g.name,
           e.recipient, spoor.is_judged(e.kind) and e.counted and w.message is not null,
           case when e.settled then 0
                else greatest(0, ceil(extract(epoch from e.at_time - now() + s.verdict_settle)))::integer end
    from entry e
    cross join spoor.verdict_setting s
    left join spoor.agent g on g.id = e.agent
    left join forwarded w on w.message = e.message and w.recipient = e.recipient
    order by 1 desc, 2 desc;
end $$;
comment on function spoor.feed_entries(spoor.feed_place[]) is 'What stands at these places, newest first.';

create function spoor.kinds_of(what text) returns "char"[]
    language sql immutable parallel safe
    as $$ select case $1 when 'views' then '{v}' when 'links' then '{c}' when 'documents' then '{O,R,D}' when 'replies' then '{r,a,m}' end::"char"[] $$;
comment on function spoor.kinds_of(text) is 'The letters of events behind a choice on the page; null: all.';

create function spoor.my_feed(secret text, what text, search text, campaign text, machines boolean, before_batch bigint,
                              before_record bigint, count integer) returns setof spoor.feed_entry
    language plpgsql stable security definer rows 20
    set search_path = pg_catalog, pg_temp set jit = off
    as $$
declare
    account spoor.sender := spoor.account(secret);
    filter spoor.feed_filter;
    place spoor.feed_place[];
begin
    if account is null then
        return;
    end if;
    filter := row(spoor.owners_of(account), nullif(search, ''), nullif(campaign, ''), spoor.kinds_of(what), machines);
    place := array(select p from spoor.feed_places(filter, before_batch, before_record, least(count, 10000)) p);
    return query select e.* from spoor.feed_entries(place) e;
end $$;
comment on function spoor.my_feed(text, text, text, text, boolean, bigint, bigint, integer) is 'A page of the feed of who is signed in with this secret.';

create function spoor.last_batch() returns bigint
    language sql stable security definer
    set search_path = pg_catalog, pg_temp set jit = off
    as $$ select coalesce(max(b.number), 0) from spoor.batch b $$;
comment on function spoor.last_batch() is 'Number of the newest batch.';

create function spoor.news_floor(most integer) returns bigint
    language sql stable security definer
    set search_path = pg_catalog, pg_temp set jit = off
    as $$ select coalesce(max(w.number), 0)
          from (select b.number, sum(b.records) over (order by b.number desc) as records
                from (select c.number, c.records from spoor.batch c where c.spool <> 0 order by c.number desc limit 5000) b) w
          where w.records > $1 $$;
comment on function spoor.news_floor(integer) is 'The newest batch behind which there are no more than so many records, of the newest 5,000: who has seen less has missed too much to be told one by one.';

create function spoor.live_sessions(secrets text[]) returns table (number integer, owners text[])
    language sql stable security definer
    set search_path = pg_catalog, pg_temp set jit = off
    as $$
    select s.number::integer, spoor.owners_of(w)
    from unnest($1) with ordinality s (secret, number)
    cross join lateral spoor.account(s.secret) w
    where w.address is not null $$;
comment on function spoor.live_sessions(text[]) is 'Which of these secrets, counted from 1, are sessions, and whose mail each may see; null: everybody''s.';

create function spoor.my_news(secrets text[], after_batch bigint, upto bigint) returns setof spoor.feed_entry
    language plpgsql stable security definer rows 20
    set search_path = pg_catalog, pg_temp set jit = off
    as $$
declare
    filter spoor.feed_filter;
    place spoor.feed_place[];
    fresh spoor.event[];
    all_seen boolean;
begin
    select coalesce(bool_or(s.owners is null), false) into all_seen from spoor.live_sessions(secrets) s;
    filter.owners := case when not all_seen then array(
        select distinct o from spoor.live_sessions(secrets) s cross join lateral unnest(s.owners) o) end;
    filter.machines := true;
    if not all_seen and cardinality(filter.owners) = 0 then
        return;
    end if;
    place := array(select p from spoor.places_in_batches(after_batch + 1, upto, filter) p);
    fresh := array(select e::spoor.event from unnest(place) p
                   join spoor.event e on e.message = p.message and e.at_time = p.at_time and e.spool = p.spool and e.record = p.record);
    return query
        select n.* from (
            select e.* from spoor.feed_entries(place) e
            -- hindsight comes by a moment later
            where not exists (select from spoor.own_views(fresh) w where w.spool = e.spool and w.record = e.record and w.verdict = 's')
            union all
            select c.* from spoor.feed_corrections(after_batch, upto, filter.owners) c) n
        order by n.batch, n.record;
end $$;
comment on function spoor.my_news(text[], bigint, bigint) is 'What came with the batches behind this one, for the feeds of these sessions, oldest first; an event that is judged again comes again, in the batch of its judgement.';

create function spoor.feed_corrections(after_batch bigint, upto bigint, owners text[]) returns setof spoor.feed_entry
    language plpgsql stable rows 20
    as $$
declare
    run record;
begin
    for run in select b.number, c.spool, min(c.number) as low, max(c.number) as high, min(c.record) as first, max(c.record) as last
               from spoor.batch b join spoor.event_verdict c on c.number between b.first_record and b.last_record
               where b.number > after_batch and b.number <= upto and b.spool = 0 group by b.number, c.spool loop
        return query
            select run.number, e.record, e.spool, null::text, null::text, m.owner, null::text, null::text, null::text,
                   spoor.verdict_name(c.verdict), r.name, e.message, null::text, null::text, null::text, null::text, null::text,
                   e.recipient, null::boolean, 0
            from spoor.event e
            join spoor.event_verdict c on c.spool = e.spool and c.record = e.record and c.number between run.low and run.high
            join spoor.message m on m.id = e.message
            left join spoor.reason r on r.id = c.reason
            -- what is older has left the top of every page
            where e.spool = run.spool and e.record between run.first and run.last and e.at_time > now() - interval '1 hour'
                  and (owners is null or m.owner = any (owners));
    end loop;
end $$;
comment on function spoor.feed_corrections(bigint, bigint, text[]) is 'Later verdicts on events of the last hour that came with these batches: only which event, and what holds now.';

-- Owner by owner, for only so each is an end of an index; and without sorting, or all mails of one who has sent many would be.
create function spoor.newest_mails(owners text[], count integer) returns table (id bigint, campaign text)
    language plpgsql stable rows 500
    set enable_sort = off
    set max_parallel_workers_per_gather = 0 set jit = off
    as $$
begin
    if owners is null then
        return query select m.id, m.campaign from spoor.message m order by m.id desc limit count;
    else
        return query
            select n.id, n.campaign from unnest(owners) o (owner)
            cross join lateral (select m.id, m.campaign from spoor.message m where m.owner = o.owner order by m.id desc limit count) n
            order by n.id desc limit count;
    end if;
end $$;
comment on function spoor.newest_mails(text[], integer) is 'The newest mails of these owners, null: of all.';

create function spoor.my_campaigns(secret text) returns setof text
    language sql stable security definer
    set search_path = pg_catalog, pg_temp set jit = off
    as $$
    select m.campaign
    from spoor.account($1) w cross join lateral spoor.newest_mails(spoor.owners_of(w), 5000) m
    where w.address is not null and m.campaign is not null
    group by m.campaign order by max(m.id) desc limit 50 $$;
comment on function spoor.my_campaigns(text) is 'Campaigns among the newest mails of who is signed in with this secret, newest first.';

create function spoor.my_mail_of(secret text, message bigint) returns spoor.message
    language sql stable security definer
    set search_path = pg_catalog, pg_temp set jit = off
    as $$ select m from spoor.message m cross join lateral spoor.account($1) w
          where m.id = $2 and w.address is not null and (w.sees_all or m.owner = any (spoor.owners_of(w))) $$;
comment on function spoor.my_mail_of(text, bigint) is 'A mail that who is signed in with this secret may see; null: none such.';

create function spoor.my_mail(secret text, message bigint)
    returns table (subject text, sent_at text, sender text, owner text, campaign text, recipients integer, level text, tracked boolean,
                   viewed bigint, clicked bigint, replied bigint, views bigint, clicks bigint, machine_events bigint,
                   delivered bigint, deferred bigint, refused bigint, opened bigint, downloaded bigint)
    language plpgsql stable security definer
    set search_path = pg_catalog, pg_temp set jit = off
    as $$
begin
    return query
    select m.subject, to_char(m.sent_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), m.sender, m.owner, m.campaign, m.sent_to,
           m.level::text, m.pixels > 0, p.viewed, p.clicked, p.replied, p.views, p.clicks, p.machine_events,
           p.delivered - b.delivered, p.deferred - b.deferred, p.refused + b.accepted + b.delivered + b.deferred, p.opened, p.downloaded
    from spoor.my_mail_of(secret, my_mail.message) m
    cross join lateral (
        select count(*) filter (where k.delivery = 'accepted') as accepted, count(*) filter (where k.delivery = 'delivered') as delivered,
               count(*) filter (where k.delivery = 'deferred') as deferred
        from spoor.sent_back(m.id) k) b
    left join spoor.message_report p on p.message = (select s.last from spoor.sendings(my_mail.message) s)
    where m.id is not null;
end $$;
comment on function spoor.my_mail(text, bigint) is 'A mail and its counts, for who is signed in with this secret.';

create function spoor.my_mail_recipients(secret text, message bigint)
    returns table (address text, views bigint, clicks bigint, replies bigint, first_viewed_at text, last_event_at text,
                   delivery text, delivered_at text, relay text, status text, text text, opens bigint)
    language plpgsql stable security definer rows 20
    set search_path = pg_catalog, pg_temp set jit = off
    as $$
begin
    return query
    with m as materialized (select o.id, s.* from spoor.my_mail_of(secret, my_mail_recipients.message) o cross join lateral spoor.sendings(o.id) s),
    back as materialized (select b.* from m cross join lateral spoor.sent_back(m.id) b),
    delivery as materialized (
        select distinct on (c.recipient) c.*
        from m join spoor.delivery_item c on c.message = m.last order by c.recipient, c.at_time desc)
    select r.address, r.views, r.clicks, r.replies,
           to_char(r.first_viewed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
           to_char(r.last_event_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
           case when b.address is not null then 'bounced' when k.delivery = 'accepted' and (r.viewed or r.opened) then 'arrived'
                else k.delivery end,
           to_char(coalesce(b.at_time, d.at_time) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
           case when b.address is null then d.relay end, case when b.address is null then d.status else b.status end,
           case when b.address is null then d.text else b.status end,
           r.opens
    from m
    cross join lateral spoor.mail_people(m.id) r
    cross join lateral (
        select coalesce(max(c.state)::text, 'accepted') as delivery
        from spoor.recipient_delivery c where c.message = any (m.messages) and c.recipient = r.address) k
    left join back b on b.address = r.address
    left join delivery d on d.recipient = r.address
    order by r.last_event_at desc nulls last, r.address limit 1000;
end $$;
comment on function spoor.my_mail_recipients(text, bigint) is 'To whom a mail went and what each has done, who did something last first; 1,000 at most. Beside the states of spoor.delivery_report there is arrived: nothing is known of the delivery, but this person has opened or answered the mail.';

create function spoor.my_mail_events(secret text, message bigint) returns setof spoor.feed_entry
    language sql stable security definer rows 20
    set search_path = pg_catalog, pg_temp set jit = off
    as $$
    select e.* from spoor.my_mail_of($1, $2) m
    cross join lateral spoor.sendings(m.id) s
    cross join lateral (
        select array(select row(0, o.record, o.spool, o.message, o.at_time)::spoor.feed_place
                     from spoor.event o where o.message = any (s.messages) and not spoor.is_decoy(o.kind, o.link)
                     order by o.at_time desc limit 500) as places) p
    cross join lateral spoor.feed_entries(p.places) e
    where m.id is not null
    order by e.at_time desc, e.record desc $$;
comment on function spoor.my_mail_events(text, bigint) is 'All that happened to a mail, machines and the sender''s own views included, newest first; the last 500.';

create function spoor.my_chart(secret text, message bigint)
    returns table (day text, views bigint, clicks bigint)
    language sql stable security definer
    set search_path = pg_catalog, pg_temp set jit = off
    as $$
    with mails as (
        select case when $2 is null then array(select n.id from spoor.newest_mails(spoor.owners_of(w), 500) n)
                    else (select s.messages from spoor.my_mail_of($1, $2) m cross join lateral spoor.sendings(m.id) s where m.id is not null) end as ids
        from spoor.account($1) w where w.address is not null),
    hit as materialized (
        select e.kind, e.at_time, e.spool, e.record, e.verdict
        from mails m join spoor.event e on e.message = any (m.ids)
        where e.kind in ('v', 'c') and e.at_time > now() - interval '15 days'),
    -- one by one, or, where somebody has asked for an image for hours, all at once
    judged as (
        select h.kind, h.at_time, coalesce(v.verdict, h.verdict) as verdict
        from hit h left join lateral spoor.later_verdict(h.kind, h.spool, h.record) v on true
        where (select count(*) from hit) <= 20000
        union all
        select h.kind, h.at_time, coalesce(v.verdict, h.verdict)
        from hit h
        left join (
            select distinct on (c.spool, c.record) c.spool, c.record, c.verdict
            from (select s.spool, min(s.record) as first, max(s.record) as last from hit s group by s.spool) r
            join spoor.event_verdict c on c.spool = r.spool and c.record between r.first and r.last
            order by c.spool, c.record, c.number desc) v on v.spool = h.spool and v.record = h.record
        where (select count(*) from hit) > 20000)
    select to_char(d.day, 'YYYY-MM-DD'), count(*) filter (where e.kind = 'v'), count(*) filter (where e.kind = 'c')
    from generate_series(date_trunc('day', now() at time zone 'UTC') - interval '13 days',
                               date_trunc('day', now() at time zone 'UTC'), '1 day') d (day)
    left join (
        select c.kind, c.at_time from judged c where spoor.is_counted(c.kind, c.verdict)) e
        on date_trunc('day', e.at_time at time zone 'UTC') = d.day
    group by d.day order by d.day $$;
comment on function spoor.my_chart(text, bigint) is 'Views and clicks a day, UTC, of the last 14 days: of a mail, or of the newest 500 mails of who is signed in with this secret.';

create function spoor.my_document_pages(secret text, message bigint)
    returns table (number integer, file_name text, page integer, ms bigint, read_for text)
    language sql stable security definer rows 20
    set search_path = pg_catalog, pg_temp
    as $$
    select a.number::integer, a.file_name, n.page, coalesce(p.ms, 0), coalesce(spoor.duration_words(p.ms), 'not read')
    from spoor.my_mail_of($1, $2) m
    cross join lateral spoor.sendings(m.id) s
    join spoor.attachment a on a.message = s.last
    join spoor.document d on d.id = a.document
    cross join lateral generate_series(1, least(d.pages, 60)) n (page)
    left join lateral (
        select sum(r.ms)::bigint as ms from spoor.document_page_report r
        where r.message = any (s.messages) and r.number = a.number and r.document = a.document and r.page = n.page) p on true
    where m.id is not null
    order by a.number, n.page $$;
comment on function spoor.my_document_pages(text, bigint) is 'How long all readers together had each page of a mail''s documents in sight, the first 60 of each, for who is signed in with this secret.';

grant execute on function spoor.my_feed(text, text, text, text, boolean, bigint, bigint, integer), spoor.last_batch(),
    spoor.news_floor(integer), spoor.live_sessions(text[]), spoor.my_news(text[], bigint, bigint), spoor.my_campaigns(text), spoor.my_mail(text, bigint),
    spoor.my_mail_recipients(text, bigint), spoor.my_mail_events(text, bigint), spoor.my_chart(text, bigint) to spoor_feed;

grant execute on function spoor.my_document_pages(text, bigint) to spoor_feed;
