-- SPDX-License-Identifier: BSD-2-Clause
-- Mails of which there is very much: their owner's pages are those that looking at each event by itself gives, for less.
select plan(13);

-- Two spools; a dozen mails of Ann with a few events each, others' mails between; two floods of one image, by a machine and by none.
insert into spoor.message (id, sent_at, size, level, pixels, sent_to, owner, sender)
select n, now() - interval '3 days', 1000, 'individual', 1, 2, case when n <= 12 then 'ann@example.com' else 'dan@example.com' end, 'a@example.com'
from generate_series(1, 60) n;
insert into spoor.recipient (message, address, key)
select n, 'reader' || n || '.' || k || '@example.net', k from generate_series(1, 60) n, generate_series(1, 2) k;
insert into spoor.link select n, 1, 'https://shop.example/' from generate_series(1, 60) n;
select spoor.ensure_partitions(now() - interval '5 days', now());
create temporary table hit on commit drop as
select now() - interval '3 days' + k * interval '4 min' as at_time, n as message, 1 + k % 2 as recipient, (n % 2)::smallint as spool,
       case when k % 4 = 0 then 'c' when k % 19 = 0 then 'r' else 'v' end as kind, (array['h', 'b', 'p', 's', 'u'])[1 + (n + k) % 5] as verdict
from generate_series(1, 60) n, generate_series(1, 30) k
union all
select now() - interval '2 days' + k * interval '10 min' / 6000, 5, 1, 0, 'v', 'h' from generate_series(1, 6000) k
union all
select now() - interval '1 day' + k * interval '10 min' / 6000, 7, 2, 1, 'v', 'b' from generate_series(1, 6000) k;
insert into spoor.event (at_time, message, record, recipient, agent, spool, link, kind, verdict, reason, address)
select at_time, message, row_number() over (order by at_time, message) * 100, recipient, 0, 1 + spool, (kind = 'c')::integer, kind::"char", verdict::"char", 0,
       '192.0.2.1' from hit;
insert into spoor.batch (spool, first_record, last_record, records, first_at, last_at)
select e.spool, min(e.record), max(e.record), count(*), min(e.at_time), max(e.at_time)
from spoor.event e group by e.spool, e.record / 20000 order by min(e.record), e.spool;
-- one that was handed in later, within an older batch; and what came without a time
insert into spoor.batch (spool, first_record, last_record, records, first_at, last_at)
select e.spool, e.record, e.record, 1, e.at_time, e.at_time from spoor.event e where e.message = 3 and e.kind = 'v' order by e.record limit 1;
update spoor.batch set first_at = '-infinity', last_at = 'infinity' where number % 5 = 0;
insert into spoor.event_verdict (spool, record, verdict, reason)
select e.spool, e.record, (array['h', 'b', 'p'])[1 + k]::"char", 0 from spoor.event e, generate_series(0, 2) k where e.record % (700 * (k + 1)) = 0 order by k, e.record;
analyze spoor.event, spoor.batch, spoor.event_verdict;

-- all pages of 1,500, one after the other
create function pg_temp.pages(filter spoor.feed_filter) returns setof spoor.feed_place
    language plpgsql as $$
declare
    before spoor.feed_place := row(9223372036854775807, 9223372036854775807, null, null, null);
    page spoor.feed_place[];
    mails constant bigint[] := array(select n from generate_series(1, 12) n);
begin
    loop
        page := array(select p from spoor.feed_of_busy_mails(mails, filter, before, 1500) p);
        return query select p.* from unnest(page) p;
        exit when cardinality(page) < 1500;
        before := page[1500];
    end loop;
end $$;

create function pg_temp.one_by_one(kinds "char"[], machines boolean) returns setof spoor.feed_place
    language sql as $$
    select b.number, e.record, e.spool, e.message, e.at_time
    from spoor.judged_event e cross join lateral spoor.batch_of(e.spool, e.record) b (number)
    where e.message <= 12 and spoor.is_shown(e.kind, e.verdict, e.link, kinds, machines)
    order by b.number desc, e.record desc $$;

create function pg_temp.buffers(question text) returns bigint
    language plpgsql as $$
declare
    plan jsonb;
begin
    execute 'explain (analyze, buffers, format json) ' || question into plan;
    return (plan -> 0 -> 'Plan' ->> 'Shared Hit Blocks')::bigint + (plan -> 0 -> 'Plan' ->> 'Shared Read Blocks')::bigint;
end $$;

select results_eq($$ select * from pg_temp.pages(null) $$, $$ select * from pg_temp.one_by_one(null, null) $$, 'what counts');
select cmp_ok((select count(*) from pg_temp.pages(null)), '>', 6000::bigint, 'nothing of a flood is left out');
select results_eq($$ select * from pg_temp.pages(row(null, null, null, null, true)::spoor.feed_filter) $$,
                  $$ select * from pg_temp.one_by_one(null, true) $$, 'and what machines did');
select results_eq($$ select * from pg_temp.pages(row(null, null, null, '{c}', false)::spoor.feed_filter) $$,
                  $$ select * from pg_temp.one_by_one('{c}', false) $$, 'clicks alone');
select results_eq($$ select * from pg_temp.pages(row(null, null, null, '{r}', false)::spoor.feed_filter) $$,
                  $$ select * from pg_temp.one_by_one('{r}', false) $$, 'and what is rare');
select results_eq($$ select * from spoor.feed_places(row('{ann@example.com}', null, null, null, false), null, null, 50) $$,
                  $$ select * from pg_temp.one_by_one(null, null) limit 50 $$, 'a page of hers');
select cmp_ok(pg_temp.buffers($$ select * from spoor.feed_page('ann@example.com') $$), '<',
              pg_temp.buffers($$ select * from pg_temp.one_by_one(null, null) $$) / 4,
              'a page takes a part of what the lookups for all would');
create function pg_temp.quiet_page(mails bigint[], since timestamptz, upto timestamptz) returns spoor.feed_place[]
    language sql as $$
    select spoor.feed_of_mails(mails, since, upto, null, row(9223372036854775807, 9223372036854775807, null, null, null), 30) $$;
select ok(pg_temp.quiet_page('{5}', null, null) is null, 'of a flood the other way gives up');
select ok(pg_temp.quiet_page('{5}', now() - interval '2 days', now()) is null, 'also between two times');
select is(pg_temp.quiet_page('{5}', now() - interval '4 days', now() - interval '2 days'), pg_temp.quiet_page('{5}', '-infinity', now() - interval '2 days'),
          'without it not');
select results_eq($$ select * from unnest(pg_temp.quiet_page('{4,6}', null, null)) $$,
                  $$ select * from pg_temp.one_by_one(null, null) p where p.message in (4, 6) limit 30 $$, 'and has what is there');

insert into spoor.sender (address) values ('ann@example.com');
insert into spoor.session (hash, address, device, expires_at) values (spoor.secret_hash('secret'), 'ann@example.com', gen_random_uuid(), now() + interval '1 hour');
create function pg_temp.chart() returns table (day text, views bigint, clicks bigint)
    language sql as $$
    select to_char(c.at_time at time zone 'UTC', 'YYYY-MM-DD'), count(*) filter (where c.kind = 'v'), count(*) filter (where c.kind = 'c')
    from spoor.judged_event c where c.message <= 12 and c.kind in ('v', 'c') and spoor.is_counted(c.kind, c.verdict) group by 1 order by 1 $$;
select results_eq($$ select * from spoor.my_chart('secret', null) where views + clicks > 0 $$, $$ select * from pg_temp.chart() $$, 'the chart, verdict by verdict');
insert into spoor.event (at_time, message, record, recipient, agent, spool, link, kind, verdict, reason, address)
select now() - interval '5 hours' + k * interval '1 ms', 9, 10000000 + k, 1, 0, 1, 0, 'v', case k % 3 when 0 then 'h' else 'b' end::"char", 0, '192.0.2.1'
from generate_series(1, 15000) k;
insert into spoor.event_verdict (spool, record, verdict, reason) select 1, 10000000 + k, 'h', 0 from generate_series(1, 15000, 10) k;
select results_eq($$ select * from spoor.my_chart('secret', null) where views + clicks > 0 $$, $$ select * from pg_temp.chart() $$, 'and all at once');
