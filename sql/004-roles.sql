-- SPDX-License-Identifier: BSD-2-Clause
-- Roles, each with no more than it needs. They may exist already: another database of the server may use them,
-- or an administrator has made them where the installer may not.

do $$
declare
    wanted text;
begin
    foreach wanted in array array['spoor_milter', 'spoor_pixeld', 'spoor_delivery', 'spoor_render', 'spoor_relay', 'spoor_feed',
                                  'spoor_monitor', 'spoor_admin'] loop
        if not exists (select from pg_catalog.pg_roles where rolname = wanted) then
            begin
                execute format('create role %I %s', wanted, case when wanted = 'spoor_feed' then 'nologin' else 'login' end);
            exception when duplicate_object or unique_violation then
                null; -- made by an installation in another database at the same moment
            end;
        end if;
    end loop;
    -- spoor-pixeld asks for pages over its own connections; what a page shows it gets from the functions of this role alone
    if not pg_has_role('spoor_pixeld', 'spoor_feed', 'member') then
        grant spoor_feed to spoor_pixeld;
    end if;
end $$;

revoke all on schema spoor from public;
grant usage on schema spoor to spoor_milter, spoor_pixeld, spoor_delivery, spoor_render, spoor_relay, spoor_feed, spoor_monitor, spoor_admin;

-- what every loader needs
grant select on spoor.schema, spoor.shard, spoor.retention, spoor.agent, spoor.reason, spoor.spool_progress
    to spoor_milter, spoor_pixeld, spoor_delivery;
grant insert on spoor.rejected to spoor_milter, spoor_pixeld, spoor_delivery;
grant execute on function spoor.from_microseconds(bigint), spoor.enter_spool(uuid, text, text),
    spoor.move_progress(smallint, bigint, bigint, bigint, bigint, bigint),
    spoor.add_batch(smallint, bigint, bigint, integer, timestamptz, timestamptz),
    spoor.join_load(bigint), spoor.forgotten_number(), spoor.forgotten_lines(), spoor.remember_forgotten(bytea[], bigint),
    spoor.acknowledge_erasure(smallint, bigint) to spoor_milter, spoor_pixeld, spoor_delivery;

-- events
grant insert on spoor.agent, spoor.reason, spoor.event, spoor.event_clock to spoor_milter, spoor_pixeld;
grant execute on function spoor.ensure_partitions(timestamptz, timestamptz) to spoor_milter, spoor_pixeld;

-- hits
grant insert on spoor.unjudged_hit to spoor_pixeld;

-- mails and answers; no milter ever reads a subject
grant insert on spoor.message, spoor.recipient, spoor.link, spoor.answer, spoor.campaign_refusal to spoor_milter;
grant select (id, owner, sender, envelope_sender, sent_message_id, client_message_id) on spoor.message to spoor_milter;
grant select on spoor.recipient to spoor_milter;
grant select (message, number) on spoor.link to spoor_milter;
grant select (message, digest, record) on spoor.answer to spoor_milter;
grant select (campaign, address, digest, record) on spoor.campaign_refusal to spoor_milter;
grant execute on function spoor.lease_node(uuid, text, text, integer) to spoor_milter;

grant update on spoor.retention to spoor_admin;
grant update (role, retired_at) on spoor.spool_progress to spoor_admin;
grant delete on spoor.node, spoor.rejected, spoor.unjudged_hit to spoor_admin;
