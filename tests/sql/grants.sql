-- SPDX-License-Identifier: BSD-2-Clause
-- Each role can do what it must, and is refused the rest; all that people see has a comment.
select plan(25);

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
select ok(spoor.may('spoor_admin', $$ select spoor.set_policy(sender => 'a@example.com', level => 'off'), spoor.set_consent('b@example.net', 'off') $$),
          'an administrator sets policy and consent');
select ok(spoor.may('spoor_admin', $$ select spoor.forget('b@example.net'), spoor.prune() $$), 'forgets and prunes');
select ok(spoor.may('spoor_admin', $$ select count(*) from spoor.sender_report, spoor.recipient_domain_report, spoor.top_links,
    spoor.link_report, spoor.campaign_report, spoor.message_report, spoor.feed, spoor.erasure, spoor.consent_report $$), 'and reads every report');
select ok(not spoor.may('spoor_admin', $$ delete from spoor.forgotten $$), 'but the list of who is forgotten stays');

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
select * from finish();
