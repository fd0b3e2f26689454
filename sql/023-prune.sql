-- SPDX-License-Identifier: BSD-2-Clause
-- Pruning: what is older than it is to be kept goes.

create function spoor.prune_files(oldest timestamptz, first_kept timestamptz) returns void
    language plpgsql
    set search_path = pg_catalog, pg_temp
    as $$
begin
    delete from spoor.document_view v where v.last_at < oldest;
    delete from spoor.document_event d
        where not exists (select from spoor.event e where e.spool = d.spool and e.record = d.record and e.at_time >= first_kept);
    delete from spoor.content c where c.removed_at < oldest;
    perform spoor.delete_mails(array(
        select a.message from spoor.attachment a
        -- not what a host may still tell of
        where a.stored_at < least(oldest, now() - interval '7 days') and not exists (select from spoor.message m where m.id = a.message)
              and not exists (select from spoor.content c where c.id = a.message)));
end $$;
comment on function spoor.prune_files(timestamptz, timestamptz) is 'Deletes what spoor.delete_mails() leaves of documents: files of mails that never left, of the library when they were taken out of it before that time, and who read them before; what belongs to no event since the second time, too. For spoor.prune().';

create function spoor.drop_months(first_kept timestamptz) returns bigint
    language plpgsql
    set search_path = pg_catalog, pg_temp set timezone = 'UTC' set lock_timeout = '500ms'
    as $$
declare
    month name;
    gone bigint := 0;
begin
    for month in
        select c.relname from pg_catalog.pg_inherits i join pg_catalog.pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'spoor.event'::regclass and c.relname ~ '^event_[0-9]{4}_[0-9]{2}$'
              and to_timestamp(substr(c.relname, 7), 'YYYY_MM') < first_kept order by c.relname
    loop
        begin
            execute format('drop table spoor.%I', month);
        exception when lock_not_available then
            -- a backup, say: while this waits all loaders and readers wait behind it
            raise warning 'spoor.% is in use, and goes the next time', month;
            exit;
        end;
        gone := gone + 1;
    end loop;
    return gone;
end $$;
comment on function spoor.drop_months(timestamptz) is 'Drops the months of events before this one, as far as nobody uses them; gives how many. Keeps everybody out of spoor.event until the transaction ends, so it stands at the end of one.';

create function spoor.prune(age interval default null) returns table (what text, gone bigint)
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp set timezone = 'UTC'
    as $$
#variable_conflict use_variable
declare
    oldest timestamptz;
    first_kept timestamptz;
    mails bigint[];
begin
    if age < interval '1 day' then
        raise exception 'what is younger than a day is not pruned'
            using errcode = 'invalid_parameter_value',
                  hint = 'For example: select * from spoor.prune(''2 years''); without an age it is spoor.retention.events.';
    end if;
    select now() - coalesce(age, r.events) into oldest from spoor.retention r;
    perform pg_advisory_xact_lock(hashtext('spoor.prune'));
    first_kept := date_trunc('month', oldest);
    delete from spoor.event e where e.at_time >= first_kept and e.at_time < oldest;
    get diagnostics gone = row_count; what := 'events'; return next;
    delete from spoor.event_verdict v where v.judged_at < oldest;
    delete from spoor.event_clock c where not exists (
        select from spoor.event e where e.spool = c.spool and e.record = c.record and e.at_time >= first_kept) and c.claimed_at < oldest;
    delete from spoor.event_device d where not exists (
        select from spoor.event e where e.spool = d.spool and e.record = d.record and e.at_time >= first_kept);
    delete from spoor.sender_network n where n.expires_at < oldest;
    mails := array(select m.id from spoor.message m where m.sent_at < oldest);
    what := 'mails'; gone := coalesce(spoor.delete_mails(mails, first_kept), 0); return next;
    perform spoor.prune_files(oldest, first_kept);
    delete from spoor.answer a where a.at_time < oldest;
    delete from spoor.campaign_refusal f where f.at_time < oldest;
    delete from spoor.found f where f.found_at < now() - interval '30 days';
    delete from spoor.batch b where b.loaded_at < oldest
        and b.number < (select max(c.number) from spoor.batch c);
    get diagnostics gone = row_count; what := 'batches'; return next;
    delete from spoor.rejected r where r.rejected_at < oldest;
    what := 'hits with unknown keys'; gone := spoor.prune_unjudged(); return next;
    delete from spoor.event e using spoor.forgotten_recipient f
        where e.message = f.message and (f.key = 0 or e.recipient = f.key) and e.at_time >= first_kept;
    get diagnostics gone = row_count; what := 'later events of the forgotten'; return next;
    perform spoor.ensure_partitions(now(), now() + interval '2 months');
    what := 'months of events'; gone := spoor.drop_months(first_kept); return next;
end $$;
comment on function spoor.prune(interval) is 'For a daily job: drops the months of events that are older (than spoor.retention.events, if no age is given), deletes what is left of older mails, and makes the partitions of the months to come. Gives how much went. Stops, suppressions and consent stay.';
