-- SPDX-License-Identifier: BSD-2-Clause
-- Each role can do what it must, and is refused the rest; all that people see has a comment.
select plan(53);

create function spoor.may(who name, what text) returns boolean language plpgsql as $$
begin
    execute format('set local role %I', who);
    execute what;
    reset role;
    return true;
exception when insufficient_privilege then
    reset role;
    return false;
end $$;

select ok(spoor.may('spoor_milter', $$ select spoor.policy_lines() $$), 'spoor-stamp reads policy');
select ok(spoor.may('spoor_milter', $$ select spoor.forgotten_lines() $$), 'a loader reads who is forgotten');
select ok(spoor.may('spoor_pixeld', $$ select spoor.join_load(0) $$), 'and joins a load');
select ok(spoor.may('spoor_delivery', $$ select spoor.join_load(0) $$), 'spoor-delivery too');
select ok(not spoor.may('spoor_pixeld', $$ select destination from spoor.link $$), 'spoor-pixeld reads no links');
select ok(spoor.may('spoor_pixeld', $$ select spoor.link_leads_to(1, 1::smallint, 'https://a.example/') $$), 'but asks about one');
select ok(not spoor.may('spoor_milter', $$ select spoor.link_leads_to(1, 1::smallint, 'https://a.example/') $$), 'which no milter does');
select ok(not spoor.may(who, 'insert into spoor.node_key (spool, key, state, fingerprint) values (1, 1, ''signs'', ''\x0011223344556677'')'),
          who || ' says nothing of another''s keys')
    from unnest(array['spoor_milter', 'spoor_pixeld']) who;
select ok(spoor.may('spoor_admin', $$ select * from spoor.key_holders(1, '\x0011223344556677') $$), 'an administrator asks who has a key');
select ok(not spoor.may(who, 'select spoor.forget(''a@example.com'')'), who || ' forgets nobody')
    from unnest(array['spoor_milter', 'spoor_pixeld', 'spoor_delivery']) who;
select ok(not spoor.may(who, 'select spoor.prune()'), who || ' prunes nothing')
    from unnest(array['spoor_milter', 'spoor_pixeld', 'spoor_delivery']) who;
select ok(not spoor.may('spoor_milter', $$ select spoor.set_policy(sender => 'a@example.com', level => 'off') $$), 'a milter sets no policy');
select ok(not spoor.may('spoor_milter', $$ insert into spoor.consent (address, level) values ('a@example.com', 'off') $$), 'nor consent');
select ok(not spoor.may('spoor_milter', $$ select subject from spoor.message $$), 'no milter reads a subject');
select ok(not spoor.may('spoor_pixeld', $$ select subject from spoor.message $$), 'nor does spoor-pixeld');
select ok(not spoor.may('spoor_pixeld', $$ select address from spoor.recipient $$), 'nor whom mail went to');
select ok(not spoor.may(who, 'select salt from spoor.forget_salt'), who || ' sees no salt')
    from unnest(array['spoor_milter', 'spoor_pixeld', 'spoor_admin']) who;
select ok(not spoor.may('spoor_admin', 'select spoor.forgotten_lines()'), 'not even by the function that tells loaders');
-- what SECURITY.md says of each role
select ok(not spoor.may(who, 'select ' || what), who || ' reads no ' || what)
    from (values ('spoor_milter', 'text from spoor.answer'), ('spoor_milter', 'at_time from spoor.event'), ('spoor_milter', 'bytes from spoor.document_chunk'),
                 ('spoor_milter', 'hash from spoor.session'), ('spoor_pixeld', 'hash from spoor.session'), ('spoor_pixeld', 'at_time from spoor.event'),
                 ('spoor_delivery', 'address from spoor.recipient'), ('spoor_delivery', 'id from spoor.message'),
                 ('spoor_render', 'file_name from spoor.attachment'), ('spoor_render', 'address from spoor.recipient'),
                 ('spoor_relay', 'id from spoor.message'), ('spoor_relay', 'result from spoor.outbox'),
                 ('spoor_monitor', 'id from spoor.message')) t (who, what);
select is_empty(
    $$ select grantee, table_name from information_schema.role_table_grants
       where table_schema = 'spoor' and privilege_type = 'DELETE' and grantee like 'spoor%' and grantee <> 'spoor_admin'
             and (grantee, table_name) <> ('spoor_render', 'page') $$, 'none deletes from a table but spoor-render its pages');
select ok(spoor.may('spoor_admin', $$ select spoor.set_policy(sender => 'a@example.com', level => 'off'), spoor.set_consent('b@example.net', 'off') $$),
          'an administrator sets policy and consent');
select ok(spoor.may('spoor_admin', $$ select spoor.forget('b@example.net'), spoor.prune() $$), 'forgets and prunes');
select ok(spoor.may('spoor_admin', $$ select count(*) from spoor.sender_report, spoor.recipient_domain_report, spoor.top_links,
    spoor.link_report, spoor.campaign_report, spoor.message_report, spoor.feed, spoor.erasure, spoor.consent_report $$), 'and reads every report');
select ok(not spoor.may('spoor_admin', $$ delete from spoor.forgotten $$), 'but the list of who is forgotten stays');

select ok(spoor.may('spoor_monitor', 'table spoor.health'), 'who watches reads numbers');
select ok(not spoor.may('spoor_monitor', 'select id from spoor.message'), 'and nothing else');
select ok(not spoor.may('spoor_monitor', 'select payload from spoor.rejected'), 'not even what was rejected');
select ok(not spoor.may('spoor_monitor', 'select trouble from spoor.outbox_lag()'), 'nor what the other side of a sink has said');

select is_empty(
    $$ select p.oid::regprocedure::text from pg_proc p where p.pronamespace = 'spoor'::regnamespace and p.prosecdef
       and not exists (select from unnest(p.proconfig) setting where setting like 'search_path=%') $$,
    'whoever calls a function with more rights than his own cannot choose what it finds');
select is_empty(
    $$ select c.relname from pg_class c where c.relnamespace = 'spoor'::regnamespace and c.relkind in ('r', 'v', 'p')
       and not c.relispartition and obj_description(c.oid, 'pg_class') is null $$, 'each table and view says what it is');
select is_empty(
    $$ select c.relname, a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid
       where c.relnamespace = 'spoor'::regnamespace and c.relkind in ('r', 'v', 'p') and not c.relispartition and a.attnum > 0
             and not a.attisdropped and col_description(c.oid, a.attnum) is null $$, 'and each column');
select is_empty(
    $$ select p.oid::regprocedure::text from pg_proc p where p.pronamespace = 'spoor'::regnamespace and p.proname <> 'may'
       and obj_description(p.oid, 'pg_proc') is null $$, 'and each function');
-- whoever reads a report of all mails may be helped by other processes
select is_empty(
    $$ select distinct p.oid::regprocedure::text from pg_depend d join pg_rewrite r on r.oid = d.objid and d.classid = 'pg_rewrite'::regclass
       join pg_proc p on p.oid = d.refobjid and d.refclassid = 'pg_proc'::regclass
       where p.pronamespace = 'spoor'::regnamespace and p.proparallel <> 's'
             and r.ev_class::regclass::text not in ('spoor.health', 'spoor.outbox_report') $$, 'no function in a view of mails keeps them away');
select is_empty(
    $$ select p.oid::regprocedure::text from pg_proc p where p.pronamespace = 'spoor'::regnamespace and p.provolatile = 'i' and p.proparallel <> 's' $$,
    'nor does one that reads no table');
select * from finish();
