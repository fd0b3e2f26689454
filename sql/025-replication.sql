-- SPDX-License-Identifier: BSD-2-Clause
-- Replication and reading across: how several servers are tied together, by spoorctl schema.

create function spoor.refuse_change() returns trigger
    language plpgsql
    set search_path = pg_catalog, pg_temp
    as $$
begin
    raise exception 'spoor.% is a copy here: change it on the first server', tg_table_name using errcode = 'read_only_sql_transaction';
end $$;
comment on function spoor.refuse_change() is 'On another server than the first: keeps people from changing what replication brings.';

create function spoor.check_wal_level() returns void
    language plpgsql
    set search_path = pg_catalog, pg_temp
    as $$
begin
    if current_setting('wal_level') <> 'logical' then
        raise exception 'wal_level is %, and several servers tell each other by logical replication', current_setting('wal_level')
            using errcode = 'object_not_in_prerequisite_state',
                  hint = 'Run here: alter system set wal_level = logical, and start PostgreSQL anew.';
    end if;
end $$;
comment on function spoor.check_wal_level() is 'Refuses a server that cannot replicate.';

create function spoor.publish(publication text, tables text[], operations text) returns void
    language plpgsql
    set search_path = pg_catalog, pg_temp
    as $$
declare
    list text := (select string_agg(format('spoor.%I', t), ', ' order by t) from unnest(tables) t);
begin
    if exists (select from pg_publication p where p.pubname = publication) then
        execute format('alter publication %I set table %s', publication, list);
    else
        execute format('create publication %I for table %s with (publish = %L)', publication, list, operations);
    end if;
end $$;
comment on function spoor.publish(text, text[], text) is 'Makes a publication of these tables, or sets what it has.';

create function spoor.slot_name(subscriber integer) returns text
    language sql stable
    set search_path = pg_catalog, pg_temp
    as $$ select format('spoor_%s_for_%s', d.oid, subscriber) from pg_database d where d.datname = current_database() $$;
comment on function spoor.slot_name(integer) is 'The replication slot from which that shard takes what is published here.';

create function spoor.subscription_name(publisher integer) returns text
    language sql immutable parallel safe
    set search_path = pg_catalog, pg_temp
    as $$ select case publisher when 0 then 'spoor_first' else format('spoor_shard_%s', publisher) end $$;
comment on function spoor.subscription_name(integer) is 'The subscription here that takes what that shard publishes.';

create function spoor.has_slot(subscriber integer) returns boolean
    language sql stable
    set search_path = pg_catalog, pg_temp
    as $$ select exists (select from pg_replication_slots r
                         where r.slot_name = spoor.slot_name(subscriber) and r.wal_status is distinct from 'lost') $$;
comment on function spoor.has_slot(integer) is 'Whether all that was published here is still there for that shard.';

create function spoor.stop_following(publisher integer) returns boolean
    language plpgsql
    set search_path = pg_catalog, pg_temp
    as $$
declare
    subscription text := spoor.subscription_name(publisher);
begin
    if not exists (select from pg_subscription s join pg_database d on d.oid = s.subdbid
                   where d.datname = current_database() and s.subname = subscription) then
        return false;
    end if;
    execute format('alter subscription %I disable', subscription);
    execute format('alter subscription %I set (slot_name = none)', subscription);
    execute format('drop subscription %I', subscription);
    return true;
end $$;
comment on function spoor.stop_following(integer) is 'Drops the subscription that takes what that shard (0: the first server) publishes; false when there is none. spoorctl schema upgrade then makes it anew and copies all that there is.';

create function spoor.make_slot(subscriber integer) returns text
    language plpgsql
    set search_path = pg_catalog, pg_temp
    as $$
declare
    slot text := spoor.slot_name(subscriber);
begin
    if not spoor.has_slot(subscriber) then
        perform pg_drop_replication_slot(r.slot_name) from pg_replication_slots r where r.slot_name = slot;
        perform pg_create_logical_replication_slot(slot, 'pgoutput');
    end if;
    return slot;
end $$;
comment on function spoor.make_slot(integer) is 'The replication slot from which that shard takes what is published here; made now if there is none.';

create function spoor.become_first(other integer) returns void
    language plpgsql
    set search_path = pg_catalog, pg_temp
    as $$
declare
    keyless text;
begin
    if not spoor.is_first() then
        raise exception 'this is shard %, not the first server', (select s.number from spoor.shard s)
            using hint = 'Do the options database and shards name the servers as they are?';
    end if;
    if exists (select from spoor.node n where n.node / 128 = other) and not exists (select from spoor.server v where v.number = other) then
        raise exception 'there is mail on this server whose numbers say shard %', other
            using hint = 'So many hosts have been here that they took its node numbers too. Give the new server another number.';
    end if;
    perform spoor.check_wal_level();
    for keyless in select t from unnest(spoor.global_tables()) t
                   where not exists (select from pg_constraint c where c.conrelid = format('spoor.%I', t)::regclass and c.contype = 'p') loop
        execute format('alter table spoor.%I replica identity full', keyless);
    end loop;
    perform spoor.publish('spoor_first', spoor.global_tables(), 'insert, update, delete, truncate');
    insert into spoor.server (number) values (other) on conflict do nothing;
end $$;
comment on function spoor.become_first(integer) is 'For spoorctl schema, on the first server: publishes what another takes from here, and notes that there is one.';

create function spoor.become_shard(wanted integer) returns void
    language plpgsql
    set search_path = pg_catalog, pg_temp set session_replication_role = replica
    as $$
declare
    one text;
    fresh text[];
begin
    perform spoor.check_wal_level();
    if (select s.number from spoor.shard s) not in (0, wanted) then
        raise exception 'this is shard %, not %', (select s.number from spoor.shard s), wanted
            using hint = 'Do the options database and shards name the servers as they are?';
    end if;
    if spoor.is_first() and (exists (select from spoor.server) or exists (select from spoor.spool_progress)) then
        raise exception 'this server has been a first one, and cannot become shard %', wanted
            using hint = 'Name a new database in shards.';
    end if;
    update spoor.shard set number = wanted where number <> wanted;
    perform spoor.publish('spoor_found', '{found}', 'insert');
    fresh := array(select t from unnest(spoor.global_tables()) t
                   where not exists (select from pg_subscription_rel r join pg_subscription s on s.oid = r.srsubid
                                     where s.subname = 'spoor_first' and r.srrelid = format('spoor.%I', t)::regclass));
    if cardinality(fresh) > 0 then
        -- what the migrations have put there comes from the first server, too
        execute 'truncate ' || (select string_agg(format('spoor.%I', t), ', ') from unnest(fresh) t) || ' restart identity';
    end if;
    foreach one in array spoor.global_tables() loop
        execute format('drop trigger if exists refuse_change on spoor.%I', one);
        execute format('create trigger refuse_change before insert or update or delete on spoor.%I'
                       ' for each statement execute function spoor.refuse_change()', one);
    end loop;
end $$;
comment on function spoor.become_shard(integer) is 'For spoorctl schema, on another server than the first: says which it is, publishes what it finds out, and makes room for what it will be given.';

create function spoor.replication() returns table (shard integer, way text, name text, state text, untold bigint)
    language sql stable security definer rows 4
    set search_path = pg_catalog, pg_temp
    as $$
    with other (number) as (
        select v.number::integer from spoor.server v where spoor.is_first() union all select 0 where not spoor.is_first())
    select o.number, 'tells', spoor.slot_name(o.number),
           case when not spoor.has_slot(o.number) then 'lost' when not s.active then 'unread' else 'fine' end,
           case when s.confirmed_flush_lsn is not null and spoor.has_slot(o.number)
                then pg_wal_lsn_diff(pg_current_wal_lsn(), s.confirmed_flush_lsn)::bigint end
    from other o left join pg_replication_slots s on s.slot_name = spoor.slot_name(o.number)
    union all
    select o.number, 'follows', spoor.subscription_name(o.number),
           case when p.oid is null then 'gone' when not p.subenabled then 'disabled' when w.begun is null then 'stopped'
                -- one that fails is started again, and again: it never gets old
                when w.begun > clock_timestamp() - interval '3 s' then 'starting'
                when exists (select from pg_subscription_rel r where r.srsubid = p.oid and r.srsubstate not in ('r', 's')) then 'copying'
                else 'fine' end, null
    from other o
    left join (select s.oid, s.subname, s.subenabled from pg_subscription s join pg_database d on d.oid = s.subdbid
               where d.datname = current_database()) p on p.subname = spoor.subscription_name(o.number)
    left join lateral (select min(a.backend_start) as begun
                       from pg_stat_subscription t join pg_stat_activity a on a.pid = t.pid
                       where t.subid = p.oid and t.relid is null) w on true $$;
comment on function spoor.replication() is 'How this server and others tell each other, no row without others. tells: the slot for what is published here, fine, unread (nobody fetches it) or lost; follows: the subscription to what is published there, fine, gone, disabled, stopped, starting (again and again, when it fails) or copying. untold: bytes of this server''s log that are kept for it.';

-- Reading across servers, by postgres_fdw, on the first: the schema spoor_all, which spoorctl schema makes anew each time

create function spoor.reach_server(number integer, options text, password text) returns void
    language plpgsql
    set search_path = pg_catalog, pg_temp
    as $$
declare
    server text := format('spoor_shard_%s', number);
begin
    create extension if not exists postgres_fdw schema public;
    execute format('drop server if exists %I cascade', server);
    execute format('create server %I foreign data wrapper postgres_fdw options (%s)', server, options);
    execute format('create user mapping for public server %I options (user ''spoor_admin''%s)', server,
                   case when password <> '' then format(', password %L', password) else ', password_required ''false''' end);
end $$;
comment on function spoor.reach_server(integer, text, text) is 'For spoorctl schema, on the first server: how postgres_fdw reaches another.';

create function spoor.across(view text, shards integer[]) returns text
    language sql
    set search_path = pg_catalog, pg_temp
    as $$
    select string_agg(format('select %s::smallint as shard, v.* from %I.%I v', n, case when n = 0 then 'spoor' else 'spoor_shard_' || n end,
                             $1), ' union all ' order by n)
    from unnest(0 || $2) n $$;
comment on function spoor.across(text, integer[]) is 'A view of all servers, one behind the other; for spoor.read_across().';

create function spoor.read_days_across(shards integer[]) returns void
    language plpgsql
    set search_path = pg_catalog, pg_temp
    as $$
declare
    -- each server adds up its own, so that few rows travel
    others text := (select string_agg(format(
        'union all select (m.sent_at at time zone $3)::date, count(*), 0, 0, 0, 0, 0 from %1$I.message m'
        ' where m.sent_at >= $1 and m.sent_at < $2 group by 1'
        ' union all select (e.at_time at time zone $3)::date, 0, count(*) filter (where e.kind = ''v'' and e.verdict in (''h'', ''p'', ''u'')),'
        ' count(*) filter (where e.kind = ''c'' and e.verdict in (''h'', ''p'', ''u'')),'
        ' count(*) filter (where e.kind = ''r''), count(*) filter (where e.kind = ''b''),'
        ' count(*) filter (where e.kind in (''v'', ''c'') and e.verdict in (''f'', ''b''))'
        ' from %1$I.judged_event e where e.at_time >= $1 and e.at_time < $2 group by 1', 'spoor_shard_' || n), ' ')
        from unnest(shards) n);
begin
    execute 'create function spoor_all.daily_report(since timestamptz default now() - interval ''30 days'', until timestamptz default now(),'
            ' zone text default current_setting(''TimeZone''))'
            ' returns table (day date, mails bigint, views bigint, clicks bigint, replies bigint, bounces bigint, machine_events bigint)'
            ' language sql stable security definer set search_path = pg_catalog, pg_temp as ' || quote_literal(
            'select t.day, sum(t.mails)::bigint, sum(t.views)::bigint, sum(t.clicks)::bigint, sum(t.replies)::bigint,'
            ' sum(t.bounces)::bigint, sum(t.machine_events)::bigint from (select * from spoor.daily_report($1, $2, $3) '
            || coalesce(others, '') || ') t group by t.day order by t.day desc');
    comment on function spoor_all.daily_report(timestamptz, timestamptz, text) is 'spoor.daily_report() of all servers.';
end $$;
comment on function spoor.read_days_across(integer[]) is 'For spoor.read_across(): makes spoor_all.daily_report().';

create function spoor.read_across() returns void
    language plpgsql
    set search_path = pg_catalog, pg_temp
    as $$
declare
    shards integer[] := array(select s.number::integer from spoor.server s
                              join pg_foreign_server f on f.srvname = format('spoor_shard_%s', s.number) order by s.number);
    one record;
    shard integer;
begin
    drop schema if exists spoor_all cascade;
    create schema spoor_all;
    comment on schema spoor_all is 'What the views and functions of this name in the schema spoor tell, of all servers together. One that is away makes them fail: the views in spoor tell of this server alone.';
    foreach shard in array shards loop
        execute format('drop schema if exists %I cascade', 'spoor_shard_' || shard);
        execute format('create schema %I', 'spoor_shard_' || shard);
        execute format('import foreign schema spoor limit to (feed, event_report, message_report, recipient_report, link_report,'
                       ' document_report, delivery_report, stuck, node_report, erasure, top_documents, sender_report,'
                       ' recipient_domain_report, top_links, campaign_report, outbox_report, health, unsubscribe_report, message, judged_event)'
                       ' from server %I into %I',
                       'spoor_shard_' || shard, 'spoor_shard_' || shard);
    end loop;
    for one in
        select * from (values
        ('feed', 'select * from (%s) v order by v.at_time desc'),
        ('event_report', 'select * from (%s) v'),
        ('message_report', 'select * from (%s) v order by v.sent_at desc'),
        ('recipient_report', 'select * from (%s) v order by v.sent_at desc, v.address'),
        ('link_report', 'select * from (%s) v order by v.sent_at desc, v.link'),
        ('document_report', 'select * from (%s) v'),
        ('delivery_report', 'select * from (%s) v'),
        ('stuck', 'select * from (%s) v'),
        ('node_report', 'select * from (%s) v'),
        ('erasure', 'select * from (%s) v order by v.number'),
        ('outbox_report', 'select * from (%s) v order by v.sink, v.shard'),
        ('health', 'select * from (%s) v order by v.name, v.labels, v.shard'),
        ('unsubscribe_report', 'select * from (%s) v order by v.at_time desc'),
        ('top_documents', 'select * from (%s) v order by v.opened_by desc'),
        ('sender_report',
         'select v.owner, sum(v.mails)::bigint as mails, sum(v.recipients)::bigint as recipients, sum(v.with_picture)::bigint as with_picture,'
         ' sum(v.viewed)::bigint as viewed, spoor.percent(sum(v.viewed)::bigint, sum(v.with_picture)::bigint) as view_rate,'
         ' sum(v.with_links)::bigint as with_links, sum(v.clicked)::bigint as clicked,'
         ' spoor.percent(sum(v.clicked)::bigint, sum(v.with_links)::bigint) as click_rate, sum(v.replied)::bigint as replied,'
         ' spoor.percent(sum(v.replied)::bigint, sum(v.mails)::bigint) as reply_rate, sum(v.bounced)::bigint as bounced,'
         ' spoor.percent(sum(v.bounced)::bigint, sum(v.recipients)::bigint) as bounce_rate, sum(v.persons_viewed)::bigint as persons_viewed,'
         ' sum(v.views)::bigint as views, sum(v.clicks)::bigint as clicks, sum(v.machine_events)::bigint as machine_events,'
         ' max(v.last_sent_at) as last_sent_at from (%s) v group by v.owner order by mails desc, v.owner'),
        ('recipient_domain_report',
         'select v.domain, sum(v.mails)::bigint as mails, sum(v.recipients)::bigint as recipients, sum(v.delivered)::bigint as delivered,'
         ' spoor.percent(sum(v.delivered)::bigint, sum(v.recipients)::bigint) as delivery_rate, sum(v.bounced)::bigint as bounced,'
         ' spoor.percent(sum(v.bounced)::bigint, sum(v.recipients)::bigint) as bounce_rate, sum(v.told_apart)::bigint as told_apart,'
         ' sum(v.viewed)::bigint as viewed, spoor.percent(sum(v.viewed)::bigint, sum(v.told_apart)::bigint) as view_rate,'
         ' sum(v.clicked)::bigint as clicked, sum(v.replied)::bigint as replied, sum(v.machine_events)::bigint as machine_events'
         ' from (%s) v group by v.domain order by recipients desc, v.domain'),
        ('top_links',
         'select v.destination, sum(v.persons)::bigint as persons, sum(v.mails)::bigint as mails, sum(v.clicks)::bigint as clicks,'
         ' sum(v.machine_clicks)::bigint as machine_clicks, max(v.last_clicked_at) as last_clicked_at'
         ' from (%s) v group by v.destination order by persons desc, clicks desc, v.destination limit 100'),
        -- stops are the first server's; an address that two servers have sent to counts for each
        ('campaign_report',
         'select v.campaign, min(v.created_at) as created_at, sum(v.mails)::bigint as mails, sum(v.recipients)::bigint as recipients,'
         ' sum(v.viewed)::bigint as viewed, spoor.percent(sum(v.viewed)::bigint, sum(v.with_picture)::bigint) as view_rate,'
         ' sum(v.clicked)::bigint as clicked, spoor.percent(sum(v.clicked)::bigint, sum(v.with_picture)::bigint) as click_rate,'
         ' max(v.replied) filter (where v.shard = 0) as replied,'
         ' spoor.percent(max(v.replied) filter (where v.shard = 0), sum(v.recipients)::bigint) as reply_rate,'
         ' max(v.bounced) filter (where v.shard = 0) as bounced, max(v.complained) filter (where v.shard = 0) as complained,'
         ' max(v.unsubscribed) filter (where v.shard = 0) as unsubscribed, max(v.stopped) filter (where v.shard = 0) as stopped,'
         ' max(v.paused) filter (where v.shard = 0) as paused, sum(v.refused)::bigint as refused,'
         ' sum(v.machine_events)::bigint as machine_events, max(v.last_sent_at) as last_sent_at,'
         ' sum(v.with_picture)::bigint as with_picture from (%s) v group by v.campaign order by last_sent_at desc nulls last, v.campaign')
        ) t (name, shape)
    loop
        execute format('create view spoor_all.%I as ', one.name) || format(one.shape, spoor.across(one.name, shards));
        execute format('comment on view spoor_all.%I is %L', one.name, format('spoor.%s of all servers.', one.name));
    end loop;
    perform spoor.read_days_across(shards);
    create function spoor_all.suppressions(address text default null)
        returns table (address text, owner text, reason spoor.stop_reason, since timestamptz, way spoor.unsubscribe_way,
                       asked integer, campaign text, subject text)
        language sql stable security definer
        set search_path = pg_catalog, pg_temp
        as $body$
        with asked as (
            select distinct on (s.id) s.id, (count(*) over (partition by s.id))::integer as asked, u.way, u.campaign, u.subject
            from spoor_all.unsubscribe_report u
            join spoor.suppression s on s.address = u.address and (u.owner = s.owner or (s.owner is null and u.everywhere))
            order by s.id, u.at_time)
        select s.address, s.owner, s.reason, s.since, a.way, a.asked, a.campaign, a.subject
        from spoor.suppression s left join asked a on a.id = s.id
        where s.lifted_at is null and ($1 is null or strpos(s.address, lower(btrim($1))) > 0)
        order by s.since desc, s.id desc $body$;
    comment on function spoor_all.suppressions(text) is 'spoor.suppressions(), with what is known of it on all servers.';
    grant usage on schema spoor_all to spoor_admin;
    grant select on all tables in schema spoor_all to spoor_admin;
end $$;
comment on function spoor.read_across() is 'For spoorctl schema, on the first server: makes the views and functions of the schema spoor_all, in which psql reads of all servers together.';
