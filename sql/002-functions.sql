-- SPDX-License-Identifier: BSD-2-Clause
-- Functions: what a loader calls, and the words for compact codes.

create function spoor.from_microseconds(microseconds bigint) returns timestamptz
    language sql immutable strict parallel safe
    as $$ select timestamptz '1970-01-01 00:00:00+00' + microseconds * interval '1 microsecond' $$;
comment on function spoor.from_microseconds(bigint) is 'A time from microseconds since 1970 UTC, exactly.';

-- Not strict, as the others of an event below: they would be called for each, where they are now a part of the question.
create function spoor.event_kind_name(kind "char") returns text
    language sql immutable parallel safe
    as $$ select case kind
        when 'v' then 'view' when 'c' then 'click' when 'f' then 'refused'
        when 'n' then 'none' when 'o' then 'own' when 'p' then 'complaint' when 'd' then 'receipt'
        when 'b' then 'bounce' when 'w' then 'delay' when 't' then 'delivered' when 'a' then 'auto_reply'
        when 'm' then 'meeting' when 'l' then 'list' when 'x' then 'machine' when 'r' then 'reply'
        when 'u' then 'unsubscribe' when 'U' then 'undelivered'
        when 'F' then 'fetched' when 'O' then 'opened' when 'R' then 'read' when 'D' then 'downloaded' end $$;
comment on function spoor.event_kind_name("char") is 'The word for the letter in spoor.event.kind.';

create function spoor.verdict_name(verdict "char") returns text
    language sql immutable parallel safe
    as $$ select case verdict
        when 'u' then 'unknown' when 'h' then 'human' when 'p' then 'proxy'
        when 'f' then 'prefetch' when 'b' then 'bot' when 's' then 'self' when 'd' then 'doubled' end $$;
comment on function spoor.verdict_name("char") is 'The word for the letter in spoor.event.verdict.';

create function spoor.is_counted(kind "char", verdict "char") returns boolean
    language sql immutable parallel safe
    as $$ select case when kind in ('v', 'c', 'O', 'R', 'D') then verdict in ('h', 'p', 'u')
        when kind = 'U' then verdict <> 'd'
        else kind in ('r', 'a', 'b', 'p', 'm', 'd', 'u', 'f') end $$;
comment on function spoor.is_counted("char", "char") is 'Whether an event belongs into the feed: views, clicks and what was done with documents, but not by machines and the sender; replies, automatic replies, bounces, complaints, meetings, receipts, who unsubscribed, refusals, and what was not delivered unless a bounce tells so.';

create function spoor.is_judged(kind "char") returns boolean
    language sql immutable parallel safe
    as $$ select kind in ('v', 'c', 'F', 'O', 'R', 'D') $$;
comment on function spoor.is_judged("char") is 'Whether the verdict on an event of this kind says who did it: views, clicks, and documents fetched, opened, read and downloaded.';

create function spoor.is_decoy(kind "char", link smallint) returns boolean
    language sql immutable parallel safe
    as $$ select kind = 'c' and link = 32767 $$;
comment on function spoor.is_decoy("char", smallint) is 'Whether an event is a click on the link that no person sees: it is in no list of links.';

create function spoor.place_of(address inet) returns cidr
    language sql immutable parallel safe
    as $$ select set_masklen(address::cidr, case family(address) when 4 then 24 else 48 end) $$;
comment on function spoor.place_of(inet) is 'The network an address belongs to, as far as repeats go: 24 bits of IPv4, 48 bits of IPv6.';

create function spoor.recipient_name(message bigint, key integer) returns text
    language sql stable parallel safe
    as $$ select case
            when $2 = 0 and count(*) > 0 then 'one of ' || count(*)
            when count(*) filter (where r.key = $2) = 1 then min(r.address) filter (where r.key = $2)
            when count(*) filter (where r.key = $2) > 1 then 'one of ' || count(*) filter (where r.key = $2)
        end
        from spoor.recipient r where r.message = $1 $$;
comment on function spoor.recipient_name(bigint, integer) is 'Who a recipient key stands for in a mail: an address, or one of how many; null while the mail is not known.';

create function spoor.answer_person(answer spoor.answer) returns text
    language sql stable parallel safe
    as $$ select case when answer.class in ('bounce', 'delay', 'delivered', 'complaint')
            then coalesce(answer.about, spoor.recipient_name(answer.message, answer.recipient), answer.from_address)
            else answer.from_address end $$;
comment on function spoor.answer_person(spoor.answer) is 'Who an answer is from; of a report, which a machine writes, whom it is about.';

create function spoor.answer_effect(answer spoor.answer) returns text
    language sql stable strict parallel safe
    as $$ select case
        when answer.class = 'bounce' and answer.hard is null then 'no_status'
        when answer.class = 'bounce' and not answer.hard then 'soft'
        when answer.class not in ('bounce', 'complaint') then null
        when answer.effect then 'yes'
        when answer.about is not null then
            case when exists (select from spoor.recipient r where r.message = answer.message and r.address = answer.about)
                then 'yes' else 'no_recipient' end
        when (select count(*) = 1 or count(*) filter (where r.key = answer.recipient and r.key <> 0) = 1
              from spoor.recipient r where r.message = answer.message) then 'yes'
        else 'nobody_named' end $$;
comment on function spoor.answer_effect(spoor.answer) is 'Whether a bounce or complaint may stop and suppress, yes or why not: soft, no_status, no_recipient (it is about somebody whom the mail did not go to) or nobody_named.';

create function spoor.answerer_name(message bigint, address text, recorded spoor.answerer) returns text
    language sql stable strict parallel safe
    as $$ select case when exists (select from spoor.recipient r where r.message = $1 and r.address = $2) then 'recipient'
        else nullif($3, 'unknown')::text end $$;
comment on function spoor.answerer_name(bigint, text, spoor.answerer)
    is 'Whether an answer came from a recipient of the mail, To, Cc or Bcc: recipient or other. What was recorded counts where the recipients are not named; null when nobody knew.';

create function spoor.shares_domain(message bigint, address text) returns boolean
    language sql stable strict parallel safe
    as $$ select bool_or(substring(r.address from '[^@]*$') = substring($2 from '[^@]*$'))
        from spoor.recipient r where r.message = $1 $$;
comment on function spoor.shares_domain(bigint, text)
    is 'Whether an address has the domain of a recipient of the mail, as a colleague has; null where the recipients are not named.';

-- Addresses, as common/address writes them: in lower case, of ASCII alone

create function spoor.domain_of(address text) returns text
    language sql immutable strict parallel safe
    as $$ select substring(address from '[^@]*$') $$;
comment on function spoor.domain_of(text) is 'What stands behind the last @; all of it without one.';

create function spoor.normal_form(who text) returns text
    language sql immutable strict parallel safe
    as $$ select lower(btrim(btrim(who), '<>') collate "C") collate "default" $$;
comment on function spoor.normal_form(text) is 'An address or domain as a person types it, in the form in which two spellings are equal.';

create function spoor.is_whom(who text) returns boolean
    language sql immutable strict parallel safe
    as $$ select who = '*' or (who = lower(who collate "C") and who !~ '[[:cntrl:]]' and length(who) <= 320
        and (who ~ '^(([^@[:space:]]+|"([^"\\]|\\.)*")@([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?\.)*|([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?\.)+)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?$'
             or who ~ '^([^@[:space:]]+|"([^"\\]|\\.)*")@\[[a-z0-9_.:-]+\]$')) $$;
comment on function spoor.is_whom(text) is 'Whether a text is an address in normal form, a domain, or * for everybody.';

create function spoor.whom(who text) returns text
    language plpgsql immutable parallel safe
    set search_path = pg_catalog, pg_temp
    as $$
declare
    normal text := spoor.normal_form(who);
begin
    if not coalesce(spoor.is_whom(normal), false) then
        raise exception '% is no address, domain or *', coalesce('"' || who || '"', 'null')
            using errcode = 'invalid_parameter_value',
                  hint = 'Write somebody@example.net, example.net or *; a domain with other letters than a to z as xn--...';
    end if;
    return normal;
end $$;
comment on function spoor.whom(text) is 'An address or domain in the form in which policy has it; refuses what is neither.';

create function spoor.person(address text) returns text
    language plpgsql immutable parallel safe
    set search_path = pg_catalog, pg_temp
    as $$
declare
    normal text := spoor.normal_form(address);
begin
    if not coalesce(spoor.is_whom(normal) and strpos(normal, '@') > 1, false) then
        raise exception '% is no address of a person', coalesce('"' || address || '"', 'null')
            using errcode = 'invalid_parameter_value',
                  hint = 'Write somebody@example.net; a domain with other letters than a to z as xn--...';
    end if;
    return normal;
end $$;
comment on function spoor.person(text) is 'The address of a person in normal form; refuses what is none.';

create function spoor.ensure_partitions(first timestamptz, last timestamptz) returns integer
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp set timezone = 'UTC' set lock_timeout = '2s'
    as $$
declare
    month timestamptz := date_trunc('month', first);
    made integer := 0;
    partition text;
begin
    if last > now() + interval '1 year' or first < now() - interval '100 years' then
        raise exception 'no partitions are made for times from % to %', first, last;
    end if;
    if last > first + interval '40 months' then
        raise exception 'no more than 40 partitions are made at once';
    end if;
    while month <= last loop
        partition := 'event_' || to_char(month, 'YYYY_MM');
        if to_regclass('spoor.' || partition) is null then
            perform pg_advisory_xact_lock(hashtext('spoor.ensure_partitions'));
            if to_regclass('spoor.' || partition) is null then
                -- CREATE and then ATTACH, for CREATE ... PARTITION OF would keep every loader out
                execute format('create table spoor.%I (like spoor.event including defaults including constraints)', partition);
                execute format('alter table spoor.event attach partition spoor.%I for values from (%L) to (%L)',
                               partition, month, month + interval '1 month');
                execute format('comment on table spoor.%I is %L', partition, 'Events of ' || to_char(month, 'YYYY-MM') || ', UTC.');
                made := made + 1;
            end if;
        end if;
        month := month + interval '1 month';
    end loop;
    return made;
end $$;
comment on function spoor.ensure_partitions(timestamptz, timestamptz) is 'Makes the partitions of spoor.event for every month from the first time to the last, 40 at most; gives how many were missing.';

create function spoor.is_first() returns boolean
    language sql stable security definer
    set search_path = pg_catalog, pg_temp
    as $$ select s.number = 0 from spoor.shard s $$;
comment on function spoor.is_first() is 'Whether this is the first server, or the only one: what belongs to no mail is changed there alone, see spoor.global_tables().';

create function spoor.lease_node(identity uuid, host text, program text, shard integer default 0) returns smallint
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
declare
    leased smallint;
begin
    perform pg_advisory_xact_lock(hashtext('spoor.lease_node'));
    if lease_node.shard <> 0 and not exists (select from spoor.server v where v.number = lease_node.shard) then
        raise exception 'there is no shard % yet', lease_node.shard using hint = 'spoorctl schema install sets it up.';
    end if;
    -- the first server's hosts may have the numbers of servers that there are not, the last ones first
    select c.node into leased
    from (select n as node, n / 128 as shard from generate_series(0, 1023) n) c
    left join spoor.node n on n.node = c.node
    where (c.shard = lease_node.shard
           or lease_node.shard = 0 and not exists (select from spoor.server v where v.number = c.shard))
          and (n.identity is null or n.identity = lease_node.identity)
    order by n.identity is null, c.shard <> lease_node.shard, case when c.shard = lease_node.shard then c.node else -c.node end limit 1;
    if leased is not null then
        insert into spoor.node (node, identity, host, program) values (leased, identity, host, program) on conflict do nothing;
    end if;
    return leased;
end $$;
comment on function spoor.lease_node(uuid, text, text, integer) is 'The node number of a spool in the range of a shard, given out now if it has none; null when all 128 are taken. Hosts of the first server have those of servers that there are not, too.';

create function spoor.enter_spool(identity uuid, host text, program text) returns void
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
declare
    owner name;
begin
    insert into spoor.spool_progress as p (identity, host, program, role)
        values (identity, host, program, session_user)
        on conflict on constraint spool_progress_identity_key do update set entered_at = now(), retired_at = null
        returning p.role into owner;
    perform spoor.check_spool_role(owner);
end $$;
comment on function spoor.enter_spool(uuid, text, text) is 'Makes a spool known, at position 0, and whoever enters it its owner; one that is known has a session again, and is not retired. Refuses one of another role.';

create function spoor.retire_spool(spool integer) returns boolean
    language plpgsql
    set search_path = pg_catalog, pg_temp
    as $$
begin
    update spoor.spool_progress p set retired_at = coalesce(p.retired_at, now()) where p.spool = retire_spool.spool;
    return found;
end $$;
comment on function spoor.retire_spool(integer) is 'The host or program of this spool is gone for good: nobody waits for it any more. Its node number stays its own. False: there is no such spool.';

create function spoor.check_spool_role(owner name) returns void
    language plpgsql stable
    set search_path = pg_catalog, pg_temp
    as $$
begin
    if owner is distinct from session_user and not coalesce(
        (select pg_has_role(session_user, r.oid, 'member') from pg_roles r where r.rolname = owner), false) then
        raise exception 'the spool belongs to the role %, not to %', owner, session_user
            using errcode = 'insufficient_privilege',
                  hint = 'When it is right, update the column role of spoor.spool_progress.';
    end if;
end $$;
comment on function spoor.check_spool_role(name) is 'Refuses a session that is neither the role nor a member of it.';

create function spoor.move_progress(spool smallint, expected bigint, "position" bigint, record bigint, checksum bigint,
                                    dropped bigint) returns boolean
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
declare
    owner name;
begin
    update spoor.spool_progress p
        set position = move_progress."position", record = move_progress.record, checksum = move_progress.checksum,
            dropped = p.dropped + move_progress.dropped, updated_at = now()
        where p.spool = move_progress.spool and p.position = expected
        returning p.role into owner;
    if not found then
        return false;
    end if;
    perform spoor.check_spool_role(owner);
    return true;
end $$;
comment on function spoor.move_progress(smallint, bigint, bigint, bigint, bigint, bigint) is 'Moves the watermark of a spool on, if it stands where the loader believes; false when it does not.';

create function spoor.add_batch(spool smallint, first_record bigint, last_record bigint, records integer,
                                first_at timestamptz default '-infinity', last_at timestamptz default 'infinity') returns bigint
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
declare
    made bigint;
begin
    -- held until the commit: numbers then appear in the order of the commits
    perform pg_advisory_xact_lock(hashtext('spoor.batch'));
    if exists (select from spoor.forgotten_recipient) then
        -- what comes late under a token of who wants none of it
        delete from spoor.event e using spoor.forgotten_recipient f
            where e.spool = add_batch.spool and e.record between add_batch.first_record and add_batch.last_record
                  and e.at_time between add_batch.first_at and add_batch.last_at
                  and strpos('nopdbwtamlxrfuU', e.kind::text) = 0 and e.message = f.message and (f.key = 0 or e.recipient = f.key);
    end if;
    insert into spoor.batch (spool, first_record, last_record, records, first_at, last_at)
        values (spool, first_record, last_record, records, first_at, last_at) returning number into made;
    perform pg_notify('spoor_feed', '');
    return made;
end $$;
comment on function spoor.add_batch(smallint, bigint, bigint, integer, timestamptz, timestamptz) is 'The last statement of a loader''s transaction: numbers the batch and tells whoever listens to spoor_feed.';

-- Who is forgotten

create function spoor.forget_digest(address text) returns bytea
    language sql stable strict
    set search_path = pg_catalog, pg_temp
    as $$ select sha256(s.salt || convert_to(address, 'UTF8')) from spoor.forget_salt s $$;
comment on function spoor.forget_digest(text) is 'What spoor.forgotten holds of an address in normal form.';

create function spoor.is_forgotten(address text) returns boolean
    language sql stable security definer
    set search_path = pg_catalog, pg_temp
    as $$ select exists (select from spoor.forgotten)
                 and exists (select from spoor.forgotten f where f.digest = spoor.forget_digest(address)
                                                                  and f.remembered_at is null) $$;
comment on function spoor.is_forgotten(text) is 'Whether this address, in normal form, belongs to somebody who is forgotten.';

create function spoor.forgotten_number() returns bigint
    language sql stable security definer
    set search_path = pg_catalog, pg_temp
    as $$ select coalesce(max(f.number), 0) from spoor.forgotten f $$;
comment on function spoor.forgotten_number() is 'Number of the last row of spoor.forgotten.';

create function spoor.join_load(known bigint) returns boolean
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
begin
    -- shared by all who write; spoor.forget() has it alone
    perform pg_advisory_xact_lock_shared(hashtext('spoor.forget'));
    return known = spoor.forgotten_number();
end $$;
comment on function spoor.join_load(bigint) is 'Asked by a loader as it begins to write: true, and then nobody is forgotten until its transaction ends; false when somebody was whom it does not know of.';

create function spoor.draw_epoch() returns bigint
    language sql volatile
    set search_path = pg_catalog, pg_temp
    -- 56 random bits, for so far eight servers' numbers can be summed: of a uuid the first 12 digits and the last two
    as $$ select 1 + ('x' || substr(u.digits, 1, 12) || substr(u.digits, 31, 2))::bit(56)::bigint
          from (select replace(gen_random_uuid()::text, '-', '') as digits) u $$;
comment on function spoor.draw_epoch() is 'A number for spoor.cache_epoch, which nobody can guess: what is cached is sealed under it.';

insert into spoor.cache_epoch (number) values (spoor.draw_epoch());

create function spoor.begin_epoch() returns void
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
begin
    update spoor.cache_epoch set number = spoor.draw_epoch(), begun_at = now();
    perform pg_notify('spoor_forget', '');
end $$;
comment on function spoor.begin_epoch() is 'From now on no program finds what was cached before. Done whenever somebody is forgotten, a campaign resumed or a document revoked.';

create function spoor.epoch_ends() returns trigger
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
begin
    perform spoor.begin_epoch();
    return null;
end $$;
comment on function spoor.epoch_ends() is 'Begins a new epoch for a table whose changes must be seen at once.';

create trigger epoch_ends after insert or update on spoor.forgotten for each statement execute function spoor.epoch_ends();

create function spoor.forgotten_lines() returns setof text
    language sql stable security definer
    set search_path = pg_catalog, pg_temp
    as $$
    select e'salt\t' || encode(s.salt, 'hex') from spoor.forget_salt s
    union all select e'number\t' || spoor.forgotten_number()
    union all select e'epoch\t' || c.number from spoor.cache_epoch c
    union all select e'digest\t' || encode(f.digest, 'hex') from spoor.forgotten f where f.remembered_at is null $$;
comment on function spoor.forgotten_lines() is 'Who is forgotten, and the epoch of what is cached, as the lines that the programs read.';

create function spoor.remember_forgotten(digests bytea[], known bigint) returns bigint
    language sql security definer
    set search_path = pg_catalog, pg_temp
    as $$
    with again as (
        insert into spoor.forgotten as f (digest) select distinct d from unnest($1) d where spoor.is_first()
        on conflict on constraint forgotten_digest_key do update
            set number = default, forgotten_at = now(), remembered_at = null
            -- remembered, and forgotten once more after the backup; a list that is older than this table has not heard of the former
            where f.remembered_at is not null and $2 > spoor.forgotten_number()
        returning 1)
    select count(*) from again $$;
comment on function spoor.remember_forgotten(bytea[], bigint) is 'A loader knows of people who are forgotten, up to this number, and whom the database, restored from a backup, knows again; gives how many. spoorctl schema upgrade then deletes what the backup had of them.';

create function spoor.acknowledge_erasure(spool smallint, number bigint) returns void
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
declare
    owner name;
begin
    update spoor.spool_progress p set forgotten = greatest(p.forgotten, number)
        where p.spool = acknowledge_erasure.spool returning p.role into owner;
    perform spoor.check_spool_role(owner);
end $$;
comment on function spoor.acknowledge_erasure(smallint, bigint) is 'A loader says that its spool holds nothing any more of those who are forgotten, up to this number.';
