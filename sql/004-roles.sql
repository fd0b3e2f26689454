-- SPDX-License-Identifier: BSD-2-Clause
-- Roles, each with no more than it needs. They may exist already: another database of the server may use them,
-- or an administrator has made them where the installer may not.

do $$
declare
    wanted text;
begin
    foreach wanted in array array['spoor_milter', 'spoor_pixeld', 'spoor_admin'] loop
        if not exists (select from pg_catalog.pg_roles where rolname = wanted) then
            begin
                execute format('create role %I login', wanted);
            exception when duplicate_object or unique_violation then
                null; -- made by an installation in another database at the same moment
            end;
        end if;
    end loop;
end $$;

revoke all on schema spoor from public;
revoke all on all functions in schema spoor from public;

-- what every loader needs
grant usage on schema spoor to spoor_milter, spoor_pixeld;
grant select on spoor.schema, spoor.retention, spoor.agent, spoor.reason, spoor.spool_progress to spoor_milter, spoor_pixeld;
grant insert on spoor.agent, spoor.reason, spoor.event, spoor.event_clock, spoor.rejected to spoor_milter, spoor_pixeld;
grant execute on function spoor.from_microseconds(bigint), spoor.ensure_partitions(timestamptz, timestamptz),
    spoor.enter_spool(uuid, text, text), spoor.move_progress(smallint, bigint, bigint, bigint, bigint, bigint),
    spoor.add_batch(smallint, bigint, bigint, integer), spoor.join_load(bigint), spoor.forgotten_number(), spoor.forgotten_lines(),
    spoor.remember_forgotten(bytea[]), spoor.acknowledge_erasure(smallint, bigint) to spoor_milter, spoor_pixeld;

-- hits
grant insert on spoor.unjudged_hit to spoor_pixeld;

-- mails and answers; no milter ever reads a subject
grant insert on spoor.message, spoor.recipient, spoor.link, spoor.answer, spoor.campaign_refusal to spoor_milter;
grant select (id, owner, sender, envelope_sender, sent_message_id, client_message_id) on spoor.message to spoor_milter;
grant select on spoor.recipient to spoor_milter;
grant select (message, number) on spoor.link to spoor_milter;
grant select (message, digest, record) on spoor.answer to spoor_milter;
grant select (campaign, address, digest, record) on spoor.campaign_refusal to spoor_milter;
grant execute on function spoor.lease_node(uuid, text, text) to spoor_milter;

grant usage on schema spoor to spoor_admin;
grant select on all tables in schema spoor to spoor_admin;
grant update on spoor.retention to spoor_admin;
grant update (role, retired_at) on spoor.spool_progress to spoor_admin;
grant delete on spoor.node, spoor.rejected, spoor.unjudged_hit to spoor_admin;
grant execute on all functions in schema spoor to spoor_admin;
