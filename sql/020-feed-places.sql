-- SPDX-License-Identifier: BSD-2-Clause
-- Pages of a feed, newest first. How new an event is, its batch says and not its time: what a host sends after
-- days, or with a wrong clock, must not slip in behind a reader's back. A cursor names the last event that was seen.
-- Without JIT: a page is a handful of rows, and where there are many events compiling took longer than all the rest.

create type spoor.feed_place as (batch bigint, record bigint, spool smallint, message bigint, at_time timestamptz);
comment on type spoor.feed_place is 'Where an event stands in the feed, and what it is found by.';

create type spoor.feed_filter as (owners text[], search text, campaign text, kinds "char"[], machines boolean);
comment on type spoor.feed_filter is 'What is shown: the mail of these owners (null: of all), with these words in its subject or to this address, of this campaign, events of these letters, and also what machines did; nulls leave nothing out.';

create function spoor.is_shown(kind "char", verdict "char", link smallint, kinds "char"[], machines boolean) returns boolean
    language sql immutable parallel safe
    as $$ select ($4 is null or $1 = any ($4))
        and (spoor.is_counted($1, $2)
             or $5 and $2 in ('f', 'b') and spoor.is_counted($1, 'h') and not spoor.is_decoy($1, $3)) $$;
comment on function spoor.is_shown("char", "char", smallint, "char"[], boolean) is 'Whether an event is shown: one that counts, or what a machine did where that is wanted, of one of these letters.';

create function spoor.batch_of(spool smallint, record bigint) returns setof bigint
    language sql stable rows 1
    as $$
    select c.number from spoor.batch c
    where c.spool = $1 and c.last_record >= $2 and c.first_record <= $2
    order by c.last_record, c.first_record desc, c.number desc limit 1 $$;
comment on function spoor.batch_of(smallint, bigint) is 'Number of the batch that an event came with: the smallest that holds it, for a hit that was handed in later has one of its own within an older one.';

create function spoor.events_of_mails(mails bigint[], kinds "char"[], most integer) returns setof spoor.event
    language plpgsql stable rows 500
    set plan_cache_mode = force_generic_plan -- a plan for all partitions takes longer to make than to use
    set max_parallel_workers_per_gather = 0 set jit = off
    as $$
begin
    return query select o.* from spoor.event o
        where o.message = any (mails) and (events_of_mails.kinds is null or o.kind = any (events_of_mails.kinds)) limit most;
end $$;
comment on function spoor.events_of_mails(bigint[], "char"[], integer) is 'Events of these mails and letters (null: of all), so many at most, in no order.';

create function spoor.events_of_mails(mails bigint[], kinds "char"[], most integer, since timestamptz, upto timestamptz) returns setof spoor.event
    language plpgsql stable rows 500
    set plan_cache_mode = force_custom_plan
    set max_parallel_workers_per_gather = 0 set jit = off
    as $$
begin
    -- by a question for the mails, for the planner would weigh each number of a list
    return query select o.* from spoor.event o
        where o.message = any (array(select m from unnest(mails) m)) and (events_of_mails.kinds is null or o.kind = any (events_of_mails.kinds))
              and o.at_time >= since and o.at_time < upto limit most;
end $$;
comment on function spoor.events_of_mails(bigint[], "char"[], integer, timestamptz, timestamptz) is 'Those that happened between these times.';

-- The batch of each is looked up, so mails with very many are not for this.
create function spoor.feed_of_mails(mails bigint[], since timestamptz, upto timestamptz, filter spoor.feed_filter,
                                    before spoor.feed_place, count integer)
    returns spoor.feed_place[]
    language plpgsql stable
    set plan_cache_mode = force_generic_plan
    set max_parallel_workers_per_gather = 0 set jit = off
    as $$
declare
    hit spoor.event[] := case when since is null then array(select e from spoor.events_of_mails(mails, filter.kinds, 5001) e)
                              else array(select e from spoor.events_of_mails(mails, filter.kinds, 5001, since, upto) e) end;
begin
    return (
        select case when cardinality(hit) <= 5000 then array(
            -- sorted first, for then verdicts are looked up only until the page is full
            select row(e.number, e.record, e.spool, e.message, e.at_time)::spoor.feed_place
            from (select b.number, h.* from unnest(hit) h cross join lateral spoor.batch_of(h.spool, h.record) b (number)
                  where (b.number, h.record) < (before.batch, before.record)
                  order by b.number desc, h.record desc offset 0) e
            left join lateral spoor.later_verdict(e.kind, e.spool, e.record) v on true
            where spoor.is_shown(e.kind, coalesce(v.verdict, e.verdict), e.link, filter.kinds, filter.machines)
            order by e.number desc, e.record desc limit count) end);
end $$;
comment on function spoor.feed_of_mails(bigint[], timestamptz, timestamptz, spoor.feed_filter, spoor.feed_place, integer) is 'The newest events of some mails that happened between these times, or ever; null: more than 5,000 did.';

create function spoor.feed_of_all(filter spoor.feed_filter, before spoor.feed_place, count integer)
    returns setof spoor.feed_place
    language plpgsql stable rows 20
    set plan_cache_mode = force_custom_plan
    set max_parallel_workers_per_gather = 0 set jit = off
    as $$
begin
    return query
        select e.number, e.record, e.spool, e.message, e.at_time
        from (select b.number, o.* from spoor.event o cross join lateral spoor.batch_of(o.spool, o.record) b (number)
              where exists (select from spoor.message m where m.id = o.message)
                    and (filter.kinds is null or o.kind = any (filter.kinds))
                    and (b.number, o.record) < (before.batch, before.record)
              order by b.number desc, o.record desc offset 0) e
        left join lateral spoor.later_verdict(e.kind, e.spool, e.record) v on true
        where spoor.is_shown(e.kind, coalesce(v.verdict, e.verdict), e.link, filter.kinds, filter.machines)
        order by e.number desc, e.record desc limit count;
end $$;
comment on function spoor.feed_of_all(spoor.feed_filter, spoor.feed_place, integer) is 'The newest events of all mails: the way for what is too rare to be found by batch.';

create function spoor.has_stray(mails bigint[], since timestamptz, upto timestamptz, first_batch bigint, last_batch bigint) returns boolean
    language plpgsql stable
    set plan_cache_mode = force_generic_plan
    set max_parallel_workers_per_gather = 0 set jit = off
    as $$
begin
    return (select count(*) from (select from spoor.batch b where b.number between first_batch and last_batch limit 5001) n) > 5000
        or exists (select from spoor.record_runs(first_batch, last_batch) r
                   -- by its record alone, for next to nothing comes that late
                   cross join lateral (select e.message from spoor.event e
                                       where e.spool = r.spool and e.record between r.first and r.last
                                             and (e.at_time >= r.first_at and e.at_time < since
                                                  or e.at_time >= upto and e.at_time <= r.last_at) offset 0) e
                   where (r.first_at < since or r.last_at >= upto) and e.message = any (mails));
end $$;
comment on function spoor.has_stray(bigint[], timestamptz, timestamptz, bigint, bigint) is 'Whether one of these batches brought an event of these mails that did not happen between these times, or they are too many to tell.';

-- A flood of requests for one image makes hundreds of thousands of events of one mail, and to look up the batch and the later verdict
-- of each would take a second. So only those of the newest batches are looked at, then eight times as many.
create function spoor.feed_of_busy_mails(mails bigint[], filter spoor.feed_filter, before spoor.feed_place, count integer)
    returns setof spoor.feed_place
    language plpgsql stable rows 20
    set plan_cache_mode = force_custom_plan
    set max_parallel_workers_per_gather = 0 set jit = off
    as $$
declare
    place spoor.feed_place[] := '{}';
    upto bigint := before.batch;
    lowest bigint; -- batch that is looked at; 0: all that are left
    look integer := 5000; -- records
begin
    loop
        lowest := 0;
        if look < 1000000 then
            select coalesce(min(w.number), 0) into lowest
            from (select b.number, b.records, sum(b.records) over (order by b.number desc) as newer
                  from (select c.number, c.records from spoor.batch c where c.number <= upto and c.spool <> 0
                        order by c.number desc limit 20000) b) w
            where w.newer - w.records < look;
        end if;
        place := place || array(
            with run as materialized (
                select b.spool, min(b.first_record) as first, max(b.last_record) as last, min(b.first_at) as first_at,
                       max(b.last_at) as last_at
                from spoor.batch b where lowest > 0 and b.number between lowest and upto and b.spool <> 0 group by b.spool
                union all
                select o.spool, min(o.record), max(o.record), min(o.at_time), max(o.at_time)
                from spoor.event o where lowest = 0 and o.message = any (mails) group by o.spool),
            hit as materialized (
                select o.spool, o.record, o.message, o.at_time, o.kind, o.link, o.verdict
                from spoor.event o
                join run r on r.spool = o.spool and o.record between r.first and r.last
                where o.message = any (mails) and (filter.kinds is null or o.kind = any (filter.kinds))
                      and o.at_time between (select min(t.first_at) from run t) and (select max(t.last_at) from run t)),
            later as (
                select distinct on (c.spool, c.record) c.spool, c.record, c.verdict
                from (select h.spool, min(h.record) as first, max(h.record) as last from hit h group by h.spool) s
                join spoor.event_verdict c on c.spool = s.spool and c.record between s.first and s.last
                order by c.spool, c.record, c.number desc)
            select row(b.number, e.record, e.spool, e.message, e.at_time)::spoor.feed_place
            from (select h.* from hit h
                  left join later v on v.spool = h.spool and v.record = h.record and (spoor.is_judged(h.kind) or h.kind = 'U')
                  where spoor.is_shown(h.kind, coalesce(v.verdict, h.verdict), h.link, filter.kinds, filter.machines) offset 0) e
            cross join lateral spoor.batch_of(e.spool, e.record) b (number)
            where b.number between lowest and upto and (b.number, e.record) < (before.batch, before.record)
            order by b.number desc, e.record desc limit count - cardinality(place));
        exit when lowest = 0 or cardinality(place) >= count;
        upto := lowest - 1;
        look := look * 8;
    end loop;
    return query select p.* from unnest(place) p;
end $$;
comment on function spoor.feed_of_busy_mails(bigint[], spoor.feed_filter, spoor.feed_place, integer) is 'As spoor.feed_of_mails() of all times, for mails of which there is very much.';

-- Each partition has its price for each mail. So the partition of the cursor and the one before are asked alone, and all
-- others only when the page is not full, or the batches it is of brought something of another time.
create function spoor.feed_by_mail(mails bigint[], filter spoor.feed_filter, before spoor.feed_place, count integer)
    returns setof spoor.feed_place
    language plpgsql stable rows 20
    set timezone = 'UTC'
    as $$
declare
    newest spoor.batch;
    month timestamptz;
    since timestamptz;
    upto timestamptz;
    place spoor.feed_place[] := '{}';
    complete boolean := false;
begin
    if cardinality(mails) > 50 then
        select b.* into newest from spoor.batch b where b.number <= before.batch and b.spool <> 0 order by b.number desc limit 1;
        month := date_trunc('month', case when isfinite(newest.last_at) then newest.last_at else newest.loaded_at end);
        since := month - interval '1 month';
        upto := month + interval '1 month';
        place := spoor.feed_of_mails(mails, since, upto, filter, before, count);
        complete := cardinality(place) = count and not spoor.has_stray(mails, since, upto, place[count].batch, newest.number);
    end if;
    if place is not null and not complete then
        place := spoor.feed_of_mails(mails, null, null, filter, before, count);
    end if;
    if place is null then
        place := array(select p from spoor.feed_of_busy_mails(mails, filter, before, count) p);
    end if;
    return query select p.* from unnest(place) p;
end $$;
comment on function spoor.feed_by_mail(bigint[], spoor.feed_filter, spoor.feed_place, integer) is 'The newest events of some mails: the way for who has sent few.';

-- Who was refused a mail that nobody got: no number of a mail leads to that.
create function spoor.feed_of_refusals(filter spoor.feed_filter, before spoor.feed_place, count integer)
    returns setof spoor.feed_place
    language sql stable rows 20
    as $$
    select b.number, f.record, f.spool, 0::bigint, f.at_time
    from spoor.campaign_refusal f
    cross join lateral spoor.batch_of(f.spool, f.record) b (number)
    where (($1).owners is null or f.owner = any (($1).owners)) and f.message is null
          and (b.number, f.record) < (($2).batch, ($2).record)
          and (($1).kinds is null or 'f' = any (($1).kinds)) and (($1).campaign is null or f.campaign = ($1).campaign)
          and (($1).search is null or position(lower(($1).search) in lower(f.subject)) > 0 or f.address = lower(($1).search))
    order by b.number desc, f.record desc limit $3 $$;
comment on function spoor.feed_of_refusals(spoor.feed_filter, spoor.feed_place, integer) is 'The newest refusals of mails that nobody got.';

create function spoor.record_runs(since bigint, upto bigint)
    returns table (spool smallint, first bigint, last bigint, first_at timestamptz, last_at timestamptz)
    language sql stable
    as $$
    select c.spool, min(c.first_record), max(c.last_record), min(c.first_at), max(c.last_at)
    from (select b.*, count(*) filter (where b.new) over same as run
          from (select n.*, coalesce(n.first_record > 1048576 + max(n.last_record) over (same rows between unbounded preceding and 1 preceding),
                                     true) as new
                from spoor.batch n where n.number between $1 and $2 and n.spool <> 0
                window same as (partition by n.spool order by n.first_record, n.number)) b
          window same as (partition by b.spool order by b.first_record, b.number)) c
    group by c.spool, c.run $$;
comment on function spoor.record_runs(bigint, bigint) is 'Where in their spools the events of these batches lie: none twice, and neighbours as one, for each look into spoor.event has its price; with the times between which they happened.';

create function spoor.places_in_run(spool smallint, first bigint, last bigint, first_at timestamptz, last_at timestamptz,
                                    batches int8range, filter spoor.feed_filter)
    returns setof spoor.feed_place
    language plpgsql stable rows 20
    set plan_cache_mode = force_custom_plan
    set max_parallel_workers_per_gather = 0 set jit = off
    as $$
declare
    is_address boolean := false; -- else no mail is asked whether it went there
begin
    if filter.search is not null then
        is_address := exists (select from spoor.recipient r where r.address = lower(filter.search));
    end if;
    return query
        select b.number, e.record, e.spool, e.message, e.at_time
        from (select o.* from spoor.event o
              -- each mail by itself: never all mails of an owner, for that takes the longer the more there are
              cross join lateral (select w.owner, w.subject, w.campaign, null as address from spoor.message w where w.id = o.message
                                  union all
                                  select f.owner, f.subject, f.campaign, f.address from spoor.campaign_refusal f
                                  where o.message = 0 and f.record = o.record and f.spool = o.spool offset 0) m
              where o.spool = places_in_run.spool and o.record between places_in_run.first and places_in_run.last
                    and o.at_time between places_in_run.first_at and places_in_run.last_at
                    and (filter.kinds is null or o.kind = any (filter.kinds))
                    and (filter.owners is null or m.owner = any (filter.owners))
                    and (filter.campaign is null or m.campaign = filter.campaign)
                    and (filter.search is null or position(lower(filter.search) in lower(m.subject)) > 0 or m.address = lower(filter.search)
                         or is_address and exists (select from spoor.recipient r where r.message = o.message and r.address = lower(filter.search)))
              offset 0) e
        left join lateral spoor.later_verdict(e.kind, e.spool, e.record) v on true
        cross join lateral spoor.batch_of(e.spool, e.record) b (number)
        where spoor.is_shown(e.kind, coalesce(v.verdict, e.verdict), e.link, filter.kinds, filter.machines) and batches @> b.number;
end $$;
comment on function spoor.places_in_run(smallint, bigint, bigint, timestamptz, timestamptz, int8range, spoor.feed_filter) is 'The events between two records of a spool and two times that came with these batches and are shown, in no order.';

create function spoor.places_in_batches(first_batch bigint, last_batch bigint, filter spoor.feed_filter)
    returns setof spoor.feed_place
    language sql stable rows 20
    as $$
    select p.* from spoor.record_runs($1, $2) r
    cross join lateral spoor.places_in_run(r.spool, r.first, r.last, r.first_at, r.last_at, int8range($1, $2, '[]'), $3) p $$;
comment on function spoor.places_in_batches(bigint, bigint, spoor.feed_filter) is 'The events of these batches that are shown, in no order.';

-- Whose events are many finds a page in few records, so the first look is short, and each further one up to twice as long.
create function spoor.feed_by_batch(filter spoor.feed_filter, before spoor.feed_place, count integer, most integer,
                                    out places spoor.feed_place[], out complete boolean)
    language plpgsql stable
    set plan_cache_mode = force_custom_plan
    set max_parallel_workers_per_gather = 0 set jit = off
    as $$
declare
    newest spoor.batch;
    first_batch bigint;
    upto bigint := before.batch;    -- looked at next: this batch, in it what lies below this record, and older ones
    below bigint := before.record;
    first_look bigint;
    batch record;
    held integer; -- records that were looked at last
    look integer := 500;
    looked integer := 0;
begin
    places := '{}';
    complete := false;
    while cardinality(places) < count loop
        select b.* into newest from spoor.batch b where b.number <= upto and b.spool <> 0 order by b.number desc limit 1;
        exit when newest.number is null;
        if looked >= most then
            return;
        end if;
        below := case when newest.number = upto then below else 9223372036854775807 end;
        upto := newest.number;
        if newest.records > look or below <= newest.last_record then
            -- the end of a large batch, or of what is left of one
            held := look;
            below := greatest(least(below, newest.last_record + 1), newest.first_record);
            first_look := greatest(newest.first_record,
                                   below - look * ((newest.last_record - newest.first_record) / greatest(newest.records - 1, 1) + 1));
            places := places || array(
                select p from spoor.places_in_run(newest.spool, first_look, below - 1, newest.first_at, newest.last_at,
                                                   int8range(upto, upto, '[]'), filter) p
                order by p.record desc limit count - cardinality(places));
            below := first_look;
            if first_look = newest.first_record then
                upto := upto - 1;
                below := 9223372036854775807;
            end if;
        else
            -- as many batches as make so many records: while little is going on they hold one or two
            held := 0;
            for batch in select b.number, b.records from spoor.batch b where b.number <= upto and b.spool <> 0 order by b.number desc loop
                exit when held > 0 and held + batch.records > look;
                held := held + batch.records;
                first_batch := batch.number;
            end loop;
            places := places || array(
                select p from spoor.places_in_batches(first_batch, upto, filter) p
                where (p.batch, p.record) < (upto, below)
                order by p.batch desc, p.record desc limit count - cardinality(places));
            upto := first_batch - 1;
            below := 9223372036854775807;
        end if;
        looked := looked + held;
        look := greatest(look, least(held * 2, 10000));
        if cardinality(places) > 0 then -- and no more than what is missing probably lies in
            look := greatest(500, least(look, looked::bigint * (count - cardinality(places)) * 5 / (cardinality(places) * 4)));
        end if;
    end loop;
    complete := true;
end $$;
comment on function spoor.feed_by_batch(spoor.feed_filter, spoor.feed_place, integer, integer) is 'The newest events among so many records: the way for who has sent much. Complete: there are so many, or no others.';

create function spoor.feed_places(filter spoor.feed_filter, before_batch bigint, before_record bigint, count integer)
    returns setof spoor.feed_place
    language plpgsql stable rows 20
    set plan_cache_mode = force_custom_plan
    set max_parallel_workers_per_gather = 0 set jit = off
    as $$
declare
    before spoor.feed_place;
    place spoor.feed_place[];
    mails bigint[];
    few integer;
    complete boolean := false;
    near constant integer := 200000; -- records
begin
    -- A batch of 10,000 takes as long as 250 mails, and holds the more of an owner's events the more of all mails are his.
    -- So that many mails are looked at one by one; beyond 1,000 nobody waits for that.
    few := (select least(1000, greatest(250, sqrt(greatest(c.reltuples, 0) * count / 32)))
            from pg_catalog.pg_class c where c.oid = 'spoor.message'::regclass);
    before.batch := coalesce(before_batch, 9223372036854775807);
    before.record := coalesce(before_record, 9223372036854775807);
    mails := case when filter.owners is null then array(select m.id from spoor.message m limit few + 1)
                  else array(select m.id from spoor.message m where m.owner = any (filter.owners) limit few + 1) end;
    if cardinality(mails) > few then
        select b.places, b.complete into place, complete from spoor.feed_by_batch(filter, before, count, near) b;
    end if;
    if not complete then
        if cardinality(mails) > few and filter.owners is null and filter.campaign is null and filter.search is null then
            place := array(select p from spoor.feed_of_all(filter, before, count) p);
        else
            if cardinality(mails) > few or filter.campaign is not null or filter.search is not null then
                mails := array(select m.id from spoor.message m
                               where (filter.owners is null or m.owner = any (filter.owners))
                                     and (filter.campaign is null or m.campaign = filter.campaign)
                                     and (filter.search is null or position(lower(filter.search) in lower(m.subject)) > 0
                                          or exists (select from spoor.recipient r where r.message = m.id and r.address = lower(filter.search))));
            end if;
            place := array(select p from spoor.feed_by_mail(mails, filter, before, count) p);
        end if;
        place := array(select p from (select * from unnest(place)
                                      union all select * from spoor.feed_of_refusals(filter, before, count)) p
                       order by p.batch desc, p.record desc limit count);
    end if;
    return query select p.* from unnest(place) p;
end $$;
comment on function spoor.feed_places(spoor.feed_filter, bigint, bigint, integer) is 'A page of what the filter shows, newest first, as places: what came before this batch and record, or the newest.';

create function spoor.feed_page(owner text, before_batch bigint default null, before_record bigint default null,
                                count integer default 20, search text default null)
    returns table (batch bigint, record bigint, at_time timestamptz, what text, person text, subject text, detail text,
                   verdict text, reason text, message bigint)
    language plpgsql stable rows 20
    set plan_cache_mode = force_generic_plan
    set max_parallel_workers_per_gather = 0 set jit = off
    as $$
declare
    place spoor.feed_place[];
    filter spoor.feed_filter := row(array[owner], search, null, null, false);
begin
    place := array(select p from spoor.feed_places(filter, before_batch, before_record, count) p);
    return query
        select p.batch, p.record, f.at_time, f.what, f.person, f.subject, f.detail, f.verdict, f.reason, f.message
        from unnest(place) p
        -- each by itself: the view joins more tables than the planner turns about, and would be read as a whole; by time, for
        -- the number 0 of a mail stands for too many
        cross join lateral (select * from spoor.feed_item i where i.at_time = p.at_time and i.spool = p.spool
                                                                  and i.record = p.record offset 0) f
        order by 1 desc, 2 desc;
end $$;
comment on function spoor.feed_page(text, bigint, bigint, integer, text) is 'A page of an owner''s feed, newest first: what came before the batch and record that the page before ended with, or the newest. With search only mails that have these words in their subject, or went to this address.';
