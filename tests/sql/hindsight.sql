-- SPDX-License-Identifier: BSD-2-Clause
-- Hindsight goes on, whatever a batch holds: one that it fails at would be tried for ever, and all later ones wait behind it.
select plan(6);

select spoor.ensure_partitions(now(), now());
insert into spoor.reason (hash, name) values (gen_random_uuid(), 'test');
create function pg_temp.batch(number integer, link smallint, verdict text) returns bigint language sql as $$
    insert into spoor.event (at_time, message, record, recipient, agent, spool, link, kind, verdict, reason, address)
    select now(), 800000 + number, number, 1, 0, 9999, link, 'c', verdict::"char", 0, '192.0.2.1';
    select spoor.add_batch(9999::smallint, number, number, 1) $$;
create function pg_temp.is_done() returns boolean language sql as $$
    select (select max(number) from spoor.batch where spool = 9999) <= (select batch from spoor.hindsight) $$;

select spoor.judge_hindsight(100000);
select pg_temp.batch(1, 32767::smallint, 'b');
select lives_ok('select spoor.judge_hindsight(100)', 'a decoy was followed and no link');
select ok(pg_temp.is_done(), 'and that is behind us');
select pg_temp.batch(2, 1::smallint, 's');
select lives_ok('select spoor.judge_hindsight(100)', 'the sender followed a link and nobody else');
select ok(pg_temp.is_done(), 'and that is, too');
select pg_temp.batch(3, 1::smallint, 'h');
select lives_ok('select spoor.judge_hindsight(100)', 'somebody followed one');
select ok(pg_temp.is_done(), 'and that is');
select * from finish();
