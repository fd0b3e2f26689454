-- SPDX-License-Identifier: BSD-2-Clause
-- Keys: which program holds which, and hits under a key that was not known.

create type spoor.key_state as enum ('verifies', 'signs', 'retired', 'revoked');
comment on type spoor.key_state is 'What a key is for, as the key file says.';

create table spoor.node_key (
    spool smallint not null,
    key smallint not null check (key between 0 and 255),
    state spoor.key_state not null,
    fingerprint bytea not null check (octet_length(fingerprint) = 8),
    reported_at timestamptz not null default now(),
    primary key (spool, key)
);
comment on table spoor.node_key is 'Which keys each program holds, by its spool: told when it starts, when it has loaded its key file again, and when the database is back. No key can be had from this.';
comment on column spoor.node_key.spool is 'The spool of the program, as in spoor.spool_progress.';
comment on column spoor.node_key.key is 'Number of the key, as in the key file and in tokens.';
comment on column spoor.node_key.state is 'What it is for, there.';
comment on column spoor.node_key.fingerprint is 'Tells whether two programs have the same key under one number.';
comment on column spoor.node_key.reported_at is 'When the program said so.';

create table spoor.used_key (
    key smallint not null,
    fingerprint bytea not null,
    first_seen timestamptz not null default now(),
    primary key (key, fingerprint)
);
comment on table spoor.used_key is 'Every key that any program ever held. A number is never given to another key, for tokens name their key by it; spoorctl key add looks here too.';
comment on column spoor.used_key.key is 'Number of the key.';
comment on column spoor.used_key.fingerprint is 'As in spoor.node_key.';
comment on column spoor.used_key.first_seen is 'When it was first told of.';

create function spoor.report_keys(spool smallint, ids smallint[], states text[], fingerprints bytea[]) returns void
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
begin
    perform spoor.check_spool_role((select p.role from spoor.spool_progress p where p.spool = report_keys.spool));
    delete from spoor.node_key k where k.spool = report_keys.spool;
    insert into spoor.node_key (spool, key, state, fingerprint)
        select report_keys.spool, h.id, h.state::spoor.key_state, h.fingerprint
        from unnest(ids, states, fingerprints) h (id, state, fingerprint);
    insert into spoor.used_key (key, fingerprint)
        select h.id, h.fingerprint from unnest(ids, fingerprints) h (id, fingerprint) on conflict do nothing;
end $$;
comment on function spoor.report_keys(smallint, smallint[], text[], bytea[]) is 'A loader says which keys the program of its spool holds now, in place of what it said before.';

create function spoor.key_holders(key integer, fingerprint bytea)
    returns table (spool smallint, program text, host text, last_seen timestamptz, held text)
    language sql stable
    set search_path = pg_catalog, pg_temp
    as $$
    select p.spool, p.program, p.host, greatest(p.updated_at, p.entered_at),
           case when k.fingerprint = key_holders.fingerprint then k.state::text
                when k.fingerprint is not null then 'other'
                when exists (select from spoor.node_key o where o.spool = p.spool) then 'no'
                else 'unreported' end
    from spoor.spool_progress p
    left join spoor.node_key k on k.spool = p.spool and k.key = key_holders.key
    where p.retired_at is null and p.program <> 'spoor-delivery' -- which has no keys
    order by p.program, p.host, p.spool $$;
comment on function spoor.key_holders(integer, bytea) is 'What each program that has keys, and is not retired, says of one: the state it has there; other: another key has this number there; no; or unreported: it never said which keys it holds.';

create function spoor.link_leads_to(message bigint, number smallint, destination text) returns boolean
    language sql stable security definer
    set search_path = pg_catalog, pg_temp
    as $$ select exists (select from spoor.link l where l.message = link_leads_to.message and l.number = link_leads_to.number
                                                        and l.destination = link_leads_to.destination) $$;
comment on function spoor.link_leads_to(bigint, smallint, text) is 'Whether a link of a mail leads there: spoor-pixeld asks it for a click whose key was revoked.';

-- Hits under a key that was not known

create function spoor.token_key(target text) returns integer
    language sql immutable strict parallel safe
    as $$
    -- bits 8 to 15 of the token lie in its second, third and fourth character
    select (((strpos(digits, substr(token, 2, 1)) - 1) & 3) << 6) | (((strpos(digits, substr(token, 3, 1)) - 1) & 31) << 1)
           | (((strpos(digits, substr(token, 4, 1)) - 1) & 31) >> 4)
    from (select 'abcdefghijklmnopqrstuvwxyz234567' as digits, lower(substr(target, 4, 4)) as token) t $$;
comment on function spoor.token_key(text) is 'Number of the key that the token in a request target such as /o/TOKEN.gif names.';

create index unjudged_hit_key on spoor.unjudged_hit (spoor.token_key(target));

create function spoor.prune_unjudged(age interval default '30 days') returns bigint
    language sql
    as $$ with pruned as (delete from spoor.unjudged_hit where at_time < now() - age returning 1)
        select count(*) from pruned $$;
comment on function spoor.prune_unjudged(interval) is 'Deletes the hits with an unknown key that are older; gives how many. For a daily job: anybody can invent key numbers.';

create function spoor.judge_hit(spool smallint, record bigint, genuine boolean, message bigint, recipient integer,
                                link smallint, kind "char") returns boolean
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
declare
    hit spoor.unjudged_hit;
begin
    delete from spoor.unjudged_hit u where u.spool = judge_hit.spool and u.record = judge_hit.record returning * into hit;
    if not found or not genuine then
        return false;
    end if;
    perform spoor.ensure_partitions(hit.at_time, hit.at_time);
    insert into spoor.event (at_time, message, record, recipient, agent, spool, link, kind, verdict, reason, address)
        values (hit.at_time, judge_hit.message, hit.record, judge_hit.recipient, hit.agent, hit.spool, judge_hit.link,
                judge_hit.kind, hit.verdict, hit.reason, hit.address);
    if exists (select from spoor.sink_rule) and spoor.is_counted(judge_hit.kind, hit.verdict) then
        perform spoor.fill_outbox('{}', array[judge_hit.message], hit.spool, array[hit.record], array[judge_hit.kind::text],
                                  array[(extract(epoch from hit.at_time) * 1000000)::bigint], array[judge_hit.recipient],
                                  array[judge_hit.link]);
    end if;
    perform spoor.add_batch(hit.spool, hit.record, hit.record, 1, hit.at_time, hit.at_time);
    return true;
end $$;
comment on function spoor.judge_hit(smallint, bigint, boolean, bigint, integer, smallint, "char") is 'Turns a hit whose key is known now into an event, or drops it when its signature was wrong; false when it made no event.';

grant execute on function spoor.report_keys(smallint, smallint[], text[], bytea[]) to spoor_milter, spoor_pixeld;
grant execute on function spoor.link_leads_to(bigint, smallint, text) to spoor_pixeld;

grant select on spoor.unjudged_hit to spoor_pixeld;
grant execute on function spoor.token_key(text), spoor.judge_hit(smallint, bigint, boolean, bigint, integer, smallint, "char") to spoor_pixeld;
