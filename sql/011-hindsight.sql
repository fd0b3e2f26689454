-- SPDX-License-Identifier: BSD-2-Clause
-- Hindsight: verdicts that come later, when more is known.

create table spoor.hindsight (
    batch bigint not null default 0,
    ran_at timestamptz not null default now()
);
create unique index hindsight_is_one_row on spoor.hindsight ((true));
insert into spoor.hindsight default values;
comment on table spoor.hindsight is 'One row: how far spoor.judge_hindsight() has come.';
comment on column spoor.hindsight.batch is 'Up to this number of spoor.batch everything has been looked at.';
comment on column spoor.hindsight.ran_at is 'When it last had something to do.';

create function spoor.reason_number(name text) returns smallint
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
declare
    found_number smallint;
begin
    select r.id into found_number from spoor.reason r where r.hash = md5(reason_number.name)::uuid;
    if found_number is null then
        insert into spoor.reason (hash, name) values (md5(reason_number.name)::uuid, reason_number.name)
            on conflict (hash) do nothing;
        select r.id into found_number from spoor.reason r where r.hash = md5(reason_number.name)::uuid;
    end if;
    return found_number;
end $$;
comment on function spoor.reason_number(text) is 'The number of a reason in spoor.reason, given now if it has none.';

create function spoor.rushes(who integer[], at timestamptz[], before integer[], behind integer[], enough integer[],
                             within interval) returns integer[]
    language plpgsql immutable parallel safe
    set search_path = pg_catalog, pg_temp
    as $$
declare
    first integer := 1; -- the window is first to last
    last integer;
    different integer := 0;
    marked integer := 0;
    found_at integer[] := '{}';
begin
    for last in 1 .. coalesce(cardinality(who), 0) loop
        while first < last and (who[first] <> who[last] or at[last] - at[first] >= within) loop
            if behind[first] = 0 or behind[first] >= last then
                different := different - 1;
            end if;
            first := first + 1;
        end loop;
        if before[last] < first then
            different := different + 1;
        end if;
        if different >= enough[last] then
            for n in greatest(first, marked + 1) .. last loop
                found_at[cardinality(found_at) + 1] := n;
            end loop;
            marked := last;
        end if;
    end loop;
    return found_at;
end $$;
comment on function spoor.rushes(integer[], timestamptz[], integer[], integer[], integer[], interval) is 'The places of what somebody did in a rush. The arrays describe acts in the order of who and when; before and behind are the places of the same act by the same one, or 0. A rush is a window shorter than within with enough different acts. One pass, so that a flood costs no more than its length.';

create function spoor.add_verdicts(spools smallint[], records bigint[], places integer[], reason text) returns void
    language sql security definer
    set search_path = pg_catalog, pg_temp
    as $$
    insert into spoor.event_verdict (spool, record, verdict, reason)
    select $1[place], $2[place], 'b'::"char", n.number
    from (select distinct place from unnest($3) place) p
    cross join (select spoor.reason_number($4) as number where $3 <> '{}') n
    where not exists (select from spoor.event_verdict v where v.spool = $1[place] and v.record = $2[place]) $$;
comment on function spoor.add_verdicts(smallint[], bigint[], integer[], text) is 'Calls the events at these places of the arrays bot, unless they have been judged again before.';

-- Each rule takes the views and clicks that are new, looks at what lies around them, and writes rows of
-- spoor.event_verdict. What lies around is found by a time that the planner knows, not by one a row.

-- few rows, or none where no mail has a decoy: then nothing is looked at but this
create index event_decoy on spoor.event (at_time) where kind = 'c' and link = 32767;

create function spoor.judge_decoys(fresh spoor.event[]) returns void
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp set enable_nestloop = off set jit = off
    as $$
declare
    setting spoor.verdict_setting;
    messages bigint[];
    since timestamptz;
    until timestamptz;
    longest interval;
    decoy smallint;
begin
    select * into setting from spoor.verdict_setting;
    select array_agg(distinct f.message), min(f.at_time), max(f.at_time) into messages, since, until
        from unnest(fresh) f where f.kind = 'c';
    longest := setting.decoy_within + setting.decoy_per_link * 2000; -- no mail has more numbered links
    select array_agg(distinct e.message) into messages from spoor.event e
        where e.message in (select unnest(messages)) and e.at_time between since - longest and until + longest
              and e.kind = 'c' and e.link = 32767;
    if messages is null then
        return;
    end if;
    select setting.decoy_within + setting.decoy_per_link * coalesce(max(s.links), 0) into longest
        from (select count(*) as links from spoor.link l where l.message = any (messages) group by l.message) s;
    since := since - longest;
    until := until + longest;
    decoy := spoor.reason_number('decoy');
    insert into spoor.event_verdict (spool, record, verdict, reason)
    with near as (
        -- behind a token for one of several recipients only clicks from one address belong together
        select e.spool, e.record, e.message, e.recipient, e.at_time, e.verdict, spoor.is_decoy(e.kind, e.link) as is_decoy,
               case when e.recipient = 0 then e.address end as place
        from spoor.event e
        where e.message in (select unnest(messages)) and e.at_time between since and until and e.kind = 'c' and e.verdict <> 's'
              and (e.recipient <> 0 or e.address is not null)),
    timed as (
        select n.*, max(at_time) filter (where is_decoy) over (same order by at_time) as before,
               min(at_time) filter (where is_decoy) over (same order by at_time desc) as behind
        from near n window same as (partition by message, recipient, place)),
    reaches as (
        select m.message, setting.decoy_within + setting.decoy_per_link * count(l.number) as reach
        from unnest(messages) m (message) left join spoor.link l on l.message = m.message group by m.message)
    select t.spool, t.record, 'b', decoy
    from timed t join reaches r on r.message = t.message
    where not t.is_decoy and (t.at_time - t.before <= r.reach or t.behind - t.at_time <= r.reach)
          and coalesce((select v.verdict from spoor.event_verdict v where v.spool = t.spool and v.record = t.record
                        order by v.number desc limit 1), t.verdict) <> 'b';
end $$;
comment on function spoor.judge_decoys(spoor.event[]) is 'Who follows the link that no person sees is a scanner, and so the other clicks on that mail for the same recipient around that time are its, too.';

create function spoor.judge_bursts(fresh spoor.event[]) returns void
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp set enable_nestloop = off set jit = off
    as $$
declare
    setting spoor.verdict_setting;
    longest interval;
    messages bigint[];
    since timestamptz;
    until timestamptz;
    spools smallint[];
    records bigint[];
    who integer[];
    at timestamptz[];
    before integer[];
    behind integer[];
    every integer[];
begin
    select * into setting from spoor.verdict_setting;
    longest := greatest(setting.burst_within, setting.burst_all_within);
    select array_agg(distinct f.message), min(f.at_time) - longest, max(f.at_time) + longest into messages, since, until
        from unnest(fresh) f where f.kind = 'c';
    if messages is null then
        return;
    end if;
    with near as (
        -- behind a token for one of several recipients only clicks from one address belong together
        select e.spool, e.record, e.message, e.recipient, e.link, e.at_time,
               case when e.recipient = 0 then e.address end as place
        from spoor.event e
        where e.message in (select unnest(messages)) and e.at_time between since and until and e.kind = 'c' and e.verdict <> 's'
              and not spoor.is_decoy(e.kind, e.link) and (e.recipient <> 0 or e.address is not null)),
    placed as (
        select n.*, row_number() over (order by message, recipient, place, at_time, spool, record)::integer as number,
               dense_rank() over (order by message, recipient, place)::integer as who
        from near n),
    linked as (
        select p.*, coalesce(lag(number) over same, 0) as before, coalesce(lead(number) over same, 0) as behind
        from placed p window same as (partition by p.who, p.link order by p.number)),
    sizes as (
        -- fewer than three links tell nothing
        select l.message, nullif(greatest(count(*), 2), 2) as links from spoor.link l
        where l.message = any (messages) group by l.message)
    select array_agg(l.spool order by number), array_agg(l.record order by number), array_agg(l.who order by number),
           array_agg(l.at_time order by number), array_agg(l.before order by number), array_agg(l.behind order by number),
           array_agg(coalesce(s.links, 1000000)::integer order by number)
        into spools, records, who, at, before, behind, every
        from linked l left join sizes s on s.message = l.message;
    if spools is null then
        return; -- decoys, or the sender's own clicks, and no other
    end if;
    perform spoor.add_verdicts(spools, records,
        spoor.rushes(who, at, before, behind, array_fill(setting.burst_links, array[cardinality(who)]), setting.burst_within)
        || spoor.rushes(who, at, before, behind, every, setting.burst_all_within), 'burst');
end $$;
comment on function spoor.judge_bursts(spoor.event[]) is 'Clicks on several links of one mail faster than anybody reads are a scanner''s.';

create function spoor.judge_crowds(fresh spoor.event[]) returns void
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp set enable_nestloop = off set jit = off
    as $$
declare
    setting spoor.verdict_setting;
    addresses inet[];
    since timestamptz;
    until timestamptz;
    spools smallint[];
    records bigint[];
    who integer[];
    at timestamptz[];
    before integer[];
    behind integer[];
begin
    select * into setting from spoor.verdict_setting;
    -- behind a proxy that is not trusted all the world has one private address
    select array_agg(distinct f.address), min(f.at_time) - setting.crowd_within, max(f.at_time) + setting.crowd_within
        into addresses, since, until
        from unnest(fresh) f
        where f.verdict in ('h', 'u')
              and not f.address <<= any (array['10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16',
                  '172.16.0.0/12', '192.168.0.0/16', '::1/128', 'fc00::/7', 'fe80::/10']::inet[]);
    if addresses is null then
        return;
    end if;
    with near as (
        select e.spool, e.record, e.message, e.recipient, e.at_time, e.address, e.agent
        from spoor.event e
        where e.at_time between since and until and e.address in (select unnest(addresses)) and e.kind in ('v', 'c')
              and e.verdict in ('h', 'u')),
    placed as (
        select n.*, row_number() over (order by address, agent, at_time, spool, record)::integer as number,
               dense_rank() over (order by address, agent)::integer as who
        from near n),
    linked as (
        select p.*, coalesce(lag(number) over same, 0) as before, coalesce(lead(number) over same, 0) as behind
        from placed p window same as (partition by p.who, p.message, p.recipient order by p.number))
    select array_agg(spool order by number), array_agg(record order by number), array_agg(l.who order by number),
           array_agg(at_time order by number), array_agg(l.before order by number), array_agg(l.behind order by number)
        into spools, records, who, at, before, behind
        from linked l;
    if spools is null then
        return; -- gone since: somebody was forgotten
    end if;
    perform spoor.add_verdicts(spools, records,
        spoor.rushes(who, at, before, behind, array_fill(setting.crowd_recipients, array[cardinality(who)]),
                     setting.crowd_within), 'crowd');
end $$;
comment on function spoor.judge_crowds(spoor.event[]) is 'What many recipients were sent, asked for from one address at once, is asked for by a scanner.';

create function spoor.judge_early_clicks(fresh spoor.event[]) returns void
    language sql security definer
    set search_path = pg_catalog, pg_temp
    as $$
    insert into spoor.event_verdict (spool, record, verdict, reason)
    select f.spool, f.record, 'b'::"char", spoor.reason_number('hosting_not_viewed')
    from unnest($1) f
    join spoor.judged_event e on e.message = f.message and e.spool = f.spool and e.record = f.record
    where f.kind = 'c' and f.reason = (select r.id from spoor.reason r where r.hash = md5('hosting_early')::uuid)
          and e.verdict = 'u'
          and not exists (select from spoor.judged_event v
                          where v.message = f.message and v.recipient = f.recipient and v.kind = 'v'
                                and v.verdict in ('h', 'p', 'u') and v.at_time <= f.at_time) $$;
comment on function spoor.judge_early_clicks(spoor.event[]) is 'A click from a hosting network soon after the mail went, before anybody viewed it, is a scanner''s.';

-- The clock that tells a scanner from a person starts when the receiver has taken the mail.

create table spoor.fresh_delivery (
    message bigint primary key
);
comment on table spoor.fresh_delivery is 'Mails that were delivered since spoor.judge_hindsight() ran last.';
comment on column spoor.fresh_delivery.message is 'The mail.';

-- FIRST_AT to LAST_AT: when it was delivered to those whom a token may stand for; SAFE_AT: when their servers are done with
-- it. The last two are null while it is not known of all of them.
create function spoor.delivery_window(message bigint, key integer, out first_at timestamptz, out last_at timestamptz,
                                      out safe_at timestamptz)
    language sql stable
    set search_path = pg_catalog, pg_temp
    as $$
    select min(d.at_time) filter (where d.state = 'delivered'),
           case when bool_and(d.state is not distinct from 'delivered') then max(d.at_time) end,
           case when bool_and(d.state is not distinct from 'delivered')
                then max(d.at_time + coalesce(spoor.grace_of(d.relay), '0 s')) end
    from spoor.recipient r left join spoor.recipient_delivery d on d.message = r.message and d.recipient = r.address
    where r.message = $1 and ($2 = 0 or r.key = $2) $$;
comment on function spoor.delivery_window(bigint, integer) is 'When a mail was delivered to the recipient with this key, or to all with 0: first, last, and when a view or click is no scanner''s any more.';

create function spoor.judge_by_delivery(fresh spoor.event[]) returns void
    language sql security definer
    set search_path = pg_catalog, pg_temp
    as $$
    with clocked as (
        select f.message, f.recipient, w.* from (select distinct message, recipient from unnest($1) where kind in ('v', 'c')) f
        cross join lateral spoor.delivery_window(f.message, f.recipient) w where w.first_at is not null)
    insert into spoor.event_verdict (spool, record, verdict, reason)
    select e.spool, e.record, j.verdict::"char", spoor.reason_number(j.reason)
    from unnest($1) f
    join clocked c on c.message = f.message and c.recipient = f.recipient
    join spoor.judged_event e on e.message = f.message and e.spool = f.spool and e.record = f.record and e.at_time = f.at_time
    cross join lateral (
        select x.verdict, x.reason
        from (values
            (1, e.at_time < c.first_at and e.verdict in ('u', 'h', 'p'), 'b', 'before_delivery'),
            (2, e.kind = 'c' and e.recipient <> 0 and e.at_time < c.last_at + interval '3 seconds' and e.verdict in ('u', 'h'),
                'b', 'too_soon'),
            (3, e.at_time < coalesce(c.safe_at, 'infinity') and e.verdict = 'h', 'u', 'soon_after_delivery'),
            (4, e.at_time >= c.safe_at and e.verdict = 'u'
                and e.reason = (select r.id from spoor.reason r where r.hash = md5('browser')::uuid), 'h', 'after_delivery'))
            as x (number, fits, verdict, reason)
        where x.fits order by x.number limit 1) j $$;
comment on function spoor.judge_by_delivery(spoor.event[]) is 'A view or click before the receiver had the mail is a gateway''s, one just after it may be a scanner''s, and a browser''s long after it is a person''s. Without a delivery nothing is said.';

create function spoor.judge_delivered() returns void
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
declare
    mails bigint[];
begin
    with gone as (delete from spoor.fresh_delivery d
                  where d.message in (select message from spoor.fresh_delivery limit 1000 for update skip locked) returning d.message)
    select array_agg(message) into mails from gone;
    if mails is not null then
        perform spoor.judge_by_delivery(array(select e::spoor.event from spoor.event e
                                              where e.message = any (mails) and e.kind in ('v', 'c')));
    end if;
end $$;
comment on function spoor.judge_delivered() is 'Judges again what was viewed and clicked in mails of which a delivery has become known; for spoor.judge_hindsight().';

create function spoor.judge_batches(most integer) returns void
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
declare
    done bigint;
    upto bigint;
    one record;
    fresh spoor.event[] := '{}';
    together spoor.event[];
begin
    select h.batch into done from spoor.hindsight h;
    select max(b.number) into upto
        from (select w.number, sum(w.records) over (order by w.number) - w.records as before
              from (select * from spoor.batch n where n.number > done order by n.number limit 200) w) b
        where b.before < most;
    if upto is null then
        return;
    end if;
    for one in
        select * from spoor.record_runs(done + 1, upto)
    loop
        fresh := fresh || array(select e::spoor.event from spoor.event e
            where e.spool = one.spool and e.record between one.first and one.last
                  and e.at_time between one.first_at and one.last_at and e.kind in ('v', 'c'));
        perform spoor.judge_own(array(select e::spoor.event from spoor.event e
            where e.spool = one.spool and e.record between one.first and one.last
                  and e.at_time between one.first_at and one.last_at and e.kind in ('F', 'O', 'R', 'D')));
    end loop;
    -- what came late is looked at apart, so that no rule looks at all the time between
    for together in select array_agg(f::spoor.event) from unnest(fresh) f group by floor(extract(epoch from f.at_time) / 300) loop
        perform spoor.judge_decoys(together);
        perform spoor.judge_bursts(together);
        perform spoor.judge_crowds(together);
        perform spoor.judge_early_clicks(together);
        perform spoor.judge_by_delivery(together);
        perform spoor.judge_own(together);
    end loop;
    update spoor.hindsight set batch = upto, ran_at = now();
end $$;
comment on function spoor.judge_batches(integer) is 'Judges again what was loaded since the last run, up to about so many records; for spoor.judge_hindsight().';

create function spoor.judge_hindsight(most integer default 20000) returns bigint
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
declare
    first_new bigint;
    last_new bigint;
    judged bigint;
begin
    if not pg_try_advisory_xact_lock(hashtext('spoor.judge_hindsight')) then
        return 0; -- another is at it
    end if;
    perform spoor.follow_orders();
    select coalesce(max(v.number), 0) into last_new from spoor.event_verdict v;
    perform spoor.judge_batches(most);
    perform spoor.judge_delivered();
    perform spoor.judge_documents(most);
    select min(v.number), max(v.number), count(*) into first_new, last_new, judged
        from spoor.event_verdict v where v.number > last_new;
    if judged > 0 then
        perform spoor.add_batch(0::smallint, first_new, last_new, judged::integer);
    end if;
    return judged;
end $$;
comment on function spoor.judge_hindsight(integer) is 'Judges again what was loaded since the last run, up to about so many records, and what deliveries throw a new light on; gives how many verdicts changed. Every spoor-pixeld calls it every few seconds; one runs at a time, the others find nothing to do.';

create function spoor.overrule(network inet, verdict text, reason text, since interval default '30 days') returns bigint
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
declare
    first_new bigint;
    last_new bigint;
    judged bigint;
    letter "char" := (select v.letter from unnest('{u,h,p,f,b,s}'::"char"[]) v (letter) where spoor.verdict_name(v.letter) = overrule.verdict);
begin
    if overrule.network is null then
        raise exception 'no network is named' using errcode = 'invalid_parameter_value', hint = 'Write one such as 192.0.2.0/24.';
    end if;
    if letter is null then
        raise exception '% is no verdict', coalesce('"' || overrule.verdict || '"', 'null')
            using errcode = 'invalid_parameter_value', hint = 'Write human, proxy, prefetch, bot, self or unknown.';
    end if;
    if not coalesce(overrule.reason ~ '^[A-Za-z0-9_]{1,60}$', false) then
        raise exception 'the reason is a word for the reports, not %', coalesce('"' || overrule.reason || '"', 'null')
            using errcode = 'invalid_parameter_value', hint = 'Write one of letters, digits and _, such as their_scanner.';
    end if;
    -- a batch of verdicts is a run of numbers
    perform pg_advisory_xact_lock(hashtext('spoor.judge_hindsight'));
    with again as (
        insert into spoor.event_verdict (spool, record, verdict, reason)
        select e.spool, e.record, letter, n.number
        from spoor.judged_event e cross join (select spoor.reason_number(overrule.reason) as number offset 0) n
        where e.at_time > now() - overrule.since and e.address <<= overrule.network and spoor.is_judged(e.kind)
              and e.verdict <> letter
        returning number)
    select min(a.number), max(a.number), count(*) into first_new, last_new, judged from again a;
    if judged > 0 then
        perform spoor.add_batch(0::smallint, first_new, last_new, judged::integer);
    end if;
    return judged;
end $$;
comment on function spoor.overrule(inet, text, text, interval) is 'By hand: gives all that a network asked for, as far back as the interval says, another verdict: human, proxy, prefetch, bot, self or unknown. Rules hold for what comes from then on; this is for what came before. Gives how many verdicts changed; feed and reports follow.';

grant execute on function spoor.judge_hindsight(integer) to spoor_pixeld;
grant update on spoor.verdict_setting to spoor_admin;
