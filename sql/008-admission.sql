-- SPDX-License-Identifier: BSD-2-Clause
-- Admission: each campaign mail asks before it goes.

create function spoor.settle_stops() returns void
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
declare
    pending spoor.pending_stop;
    asked spoor.unsubscribe;
begin
    perform pg_advisory_xact_lock(hashtext('spoor.settle_stops'));
    for pending in delete from spoor.pending_stop p
                   where exists (select from spoor.message m where m.id = p.message) returning p.* loop
        perform spoor.stop_by_answer(pending.message, pending.address, pending.key, pending.reason, pending.others,
                                     pending.since, pending.until, pending.digest);
    end loop;
    for asked in select u.* from spoor.unsubscribe u
                 where u.effect is null and spoor.is_known(u) for update loop
        update spoor.unsubscribe u set effect = spoor.apply_unsubscribe(asked)
            where u.message = asked.message and u.address = asked.address and u.key = asked.key and u.at_time = asked.at_time;
    end loop;
end $$;
comment on function spoor.settle_stops() is 'Stops the campaigns of mails that came into the database later than their answers, and lets requests for no more mail take effect that came earlier than their mails.';

create type spoor.block as (address text, reason spoor.stop_reason, since timestamptz, until timestamptz);
comment on type spoor.block is 'Somebody whom a campaign does not reach: since when and why, and until when if it only pauses.';

create function spoor.blocks(campaign text, owner text, addresses text[], by_domain boolean) returns setof spoor.block
    language sql stable security definer
    set search_path = pg_catalog, pg_temp
    as $$
    select distinct on (wanted) wanted, b.reason, b.since, b.until
    from unnest(addresses) wanted
    cross join lateral (
        select s.reason, s.since, s.until from spoor.campaign_stop s
            where s.campaign = $1 and s.address in (wanted, spoor.domain_of(wanted)) and s.resumed_at is null
        union all
        select s.reason, s.since, s.until from spoor.campaign_stop s
            where by_domain and s.campaign = $1 and s.domain = spoor.domain_of(wanted) and s.resumed_at is null
                  and s.reason in ('reply', 'complaint')
        union all
        select u.reason, u.since, null from spoor.suppression u
            where u.address = wanted and (u.owner is null or u.owner = $2) and u.lifted_at is null
        union all
        select 'unsubscribe', f.forgotten_at, null from spoor.forgotten f
            where f.suppressed and f.remembered_at is null and f.digest = spoor.forget_digest(wanted)) b
    where b.until is null or b.until > now()
    order by wanted, b.until desc nulls first, b.since $$;
comment on function spoor.blocks(text, text, text[], boolean) is 'Which of the addresses a campaign has ended for (until is null) or pauses for.';

create function spoor.admit(id bigint, sent_at timestamptz, size bigint, level spoor.tracking_level, pixels smallint,
                            owner text, sender text, envelope_sender text, subject text, sent_message_id text,
                            client_message_id text, campaign text, host text, queue_id text, sent_to integer,
                            addresses text[], keys integer[], copied boolean[], notes integer[], by_domain boolean,
                            pause_max interval)
    returns setof spoor.block
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
#variable_conflict use_column
declare
    blocked spoor.block[];
begin
    if exists (select from spoor.pending_stop p join spoor.message m on m.id = p.message)
       or exists (select from spoor.unsubscribe u where u.effect is null and spoor.is_known(u)) then
        perform spoor.settle_stops();
    end if;
    perform pg_advisory_xact_lock_shared(hashtext('spoor.forget'));
    -- on another server than the first, who has been asked before: what goes is recorded, and no more
    if spoor.is_first() then
        insert into spoor.campaign (name) values (admit.campaign) on conflict do nothing;
        blocked := array(select b from spoor.blocks(admit.campaign, admit.owner, admit.addresses, by_domain) b);
    else
        blocked := '{}';
    end if;
    -- A mail that nobody gets now comes again under another number; who is away for too long gets it all the same.
    if admit.id is not null and cardinality(addresses) > (select count(*) from unnest(blocked) b
                                                          where b.until is null or b.until <= now() + pause_max) then
        insert into spoor.message (id, sent_at, size, level, pixels, owner, sender, envelope_sender, subject,
                                   sent_message_id, client_message_id, campaign, host, queue_id, sent_to)
            values (admit.id, admit.sent_at, admit.size, admit.level, admit.pixels, admit.owner, admit.sender,
                    admit.envelope_sender, admit.subject, admit.sent_message_id, admit.client_message_id,
                    admit.campaign, admit.host, admit.queue_id,
                    admit.sent_to - (select count(*) from unnest(blocked) b where b.until is null))
            on conflict (id) do nothing;
        insert into spoor.recipient (message, address, key, copied)
            select admit.id, r.address, r.key, r.copied
            from unnest(addresses, keys, admit.copied, notes) as r (address, key, copied, note)
            where admit.level = 'individual' and r.note = 2 and not spoor.is_forgotten(r.address)
                  and not exists (select from unnest(blocked) b where b.address = r.address and b.until is null)
            on conflict (message, address) do nothing;
        insert into spoor.campaign_member (message, digest)
            select admit.id, sha256(convert_to(r.address, 'UTF8')) from unnest(addresses, notes) as r (address, note)
            where admit.level = 'aggregate' or r.note = 1
            on conflict (message, digest) do nothing;
    else
        delete from spoor.attachment a where a.message = admit.id; -- its files were stored before
    end if;
    return query select * from unnest(blocked);
end $$;
comment on function spoor.admit(bigint, timestamptz, bigint, spoor.tracking_level, smallint, text, text, text, text, text,
                                text, text, text, text, integer, text[], integer[], boolean[], integer[], boolean, interval)
    is 'Asked by spoor-stamp before campaign mail goes: records mail, campaign and recipients and gives the addresses that are stopped or paused, in one transaction. Without an id nothing of the mail is recorded; on another server than the first nobody is stopped, for that one is asked before. Of each recipient a note says how far: 2 by name, 1 only a digest by which an answer still stops the campaign, 0 not at all.';

grant execute on function spoor.settle_stops(),
    spoor.admit(bigint, timestamptz, bigint, spoor.tracking_level, smallint, text, text, text, text, text, text, text, text, text,
                integer, text[], integer[], boolean[], integer[], boolean, interval) to spoor_milter;
