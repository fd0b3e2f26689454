-- SPDX-License-Identifier: BSD-2-Clause
-- The page of one mail that went to many: it says what the reports say, and asks for no more the more there are.
select plan(7);

insert into spoor.sender values ('ann@example.com');
insert into spoor.session (hash, address, device, expires_at)
values (spoor.secret_hash('key'), 'ann@example.com', gen_random_uuid(), now() + interval '1 day');
insert into spoor.message (id, sent_at, size, level, pixels, sent_to, owner, sender)
select n, now() - interval '2 days', 1000, 'individual', 1, 200, 'ann@example.com', 'ann@example.com' from generate_series(1, 2) n;
insert into spoor.recipient (message, address, key)
select n, 'reader' || k || '@example.net', k from generate_series(1, 2) n, generate_series(1, 200) k;
select spoor.ensure_partitions(now() - interval '3 days', now());
-- the second mail has ten times as many events of as many people; some click, some open documents, some are machines
insert into spoor.event (at_time, message, record, recipient, agent, spool, link, kind, verdict, reason, address)
select now() - interval '1 day' + k * interval '7 s', n, 10000 * n + k, k % 201, k % 4, 1, 1, (array['v', 'v', 'c', 'O'])[1 + k % 4]::"char",
       (array['h', 'p', 'b', 'h', 'u'])[1 + k % 5]::"char", 0, ('192.0.' || k % 3 || '.1')::inet
from generate_series(1, 2) n, generate_series(1, 400 * n * n) k;
insert into spoor.batch (spool, first_record, last_record, records, first_at, last_at)
values (1, 10001, 21600, 2000, now() - interval '1 day', now());
insert into spoor.answer (message, digest, at_time, record, spool, recipient, answerer_key, class, rung, confidence, answerer,
                          from_address, about, hard, status)
select 2, sha256(k::text::bytea), now() - interval '1 hour', 30000 + k, 1, 0, k, case when k < 5 then 'reply' else 'bounce' end::spoor.answer_class,
       'references', 'high', 'recipient', case when k < 5 then 'reader' || k || '@example.net' else 'mailer-daemon@example.net' end,
       case when k >= 5 then 'reader' || k || '@example.net' end, k >= 5, case when k >= 5 then '5.1.1' end
from generate_series(1, 8) k;
insert into spoor.event (at_time, message, record, recipient, agent, spool, link, kind, verdict, reason)
select a.at_time, 2, a.record, 0, 0, 1, 0, case a.class when 'reply' then 'r' else 'b' end, 'u', 0 from spoor.answer a;
delete from spoor.event where message = 2 and recipient in (6, 7);
analyze spoor.event, spoor.recipient, spoor.message, spoor.answer;

select results_eq($$ select address, views, clicks, opens, replies from spoor.my_mail_recipients('key', 2) order by address $$,
                  $$ select address, views, clicks, opens, replies from spoor.recipient_report where message = 2 order by address $$,
                  'the page says of each what the report says');
select results_eq($$ select address from spoor.my_mail_recipients('key', 2) where delivery = 'bounced' order by address $$,
                  $$ values ('reader6@example.net'), ('reader7@example.net') $$,
                  'who has not got it is who did nothing with it');
select results_eq($$ select address, viewed, opened, views, first_viewed_at, last_event_at from spoor.mail_people(2) order by address $$,
                  $$ select address, viewed, opened, views, first_viewed_at, last_event_at from spoor.recipient_report where message = 2 order by address $$,
                  'all at once is as one by one');
select set_eq($$ select spoor.forwarded_of(2) $$,
              $$ select recipient from spoor.event where message = 2 and recipient > 0 and kind in ('v', 'c', 'O') and verdict = 'h'
                 group by recipient having count(distinct spoor.place_of(address)) = 3 $$,
              'forwarded are those that were seen in three networks');

-- Rows of events that a question reads. An index that is looked at as a whole counts by row, too.
create function pg_temp.reads(question text) returns bigint
    language plpgsql as $$
declare
    before bigint := (select sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)) from pg_stat_xact_user_tables where relname like 'event\_2%');
begin
    execute question;
    return (select sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)) from pg_stat_xact_user_tables where relname like 'event\_2%') - before;
end $$;
select cmp_ok(pg_temp.reads($$ select * from spoor.my_mail_recipients('key', 2) $$), '<=', 6 * 1600::bigint,
              'for its recipients each event is read a few times, not once for each of them');
select cmp_ok(pg_temp.reads($$ select * from spoor.my_mail_events('key', 2) $$), '<=', 8 * 1600::bigint,
              'nor for what happened');

-- one that was sent again is one
insert into spoor.message (id, sent_at, size, level, pixels, sent_to, owner, sender, client_message_id)
select n, now() - interval '2 days', 1000, 'individual', 1, 1, 'ann@example.com', 'ann@example.com', '<same@example.com>' from generate_series(3, 4) n;
insert into spoor.recipient (message, address, key) select n, 'bob@example.net', 1 from generate_series(3, 4) n;
insert into spoor.event (at_time, message, record, recipient, agent, spool, link, kind, verdict, reason, address)
select now() - interval '1 day', n, 40000 + n, 1, 0, 1, 0, 'v', 'h', 0, '192.0.2.1' from generate_series(3, 4) n;
select results_eq($$ select sum(c.views), p.views from spoor.my_chart('key', 3) c cross join spoor.my_mail('key', 3) p group by p.views $$,
                  $$ values (2::numeric, 2::bigint) $$, 'the chart has what the page counts');
select * from finish();
