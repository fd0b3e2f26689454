-- SPDX-License-Identifier: BSD-2-Clause
-- Documents: files that left a mail, their pages, and who read which.

create type spoor.document_state as enum ('pending', 'ready', 'download_only', 'failed');
comment on type spoor.document_state is 'How far a document has come: pending waits for its pages, ready has them, download_only will have none, failed could not be converted.';

create table spoor.document (
    id bigint generated always as identity primary key,
    sha256 bytea not null check (octet_length(sha256) = 32),
    file_type text not null check (file_type in ('pdf', 'doc', 'docx', 'ppt', 'pptx', 'odt', 'odp', 'xls', 'xlsx', 'ods')),
    bytes bigint not null check (bytes > 0),
    state spoor.document_state not null default 'pending',
    reason text,
    pages integer,
    attempts integer not null default 0,
    not_before timestamptz not null default now(),
    locked_by text,
    locked_until timestamptz,
    created_at timestamptz not null default now(),
    ready_at timestamptz,
    unique (sha256, file_type)
);
comment on table spoor.document is 'Files that left a mail or lie in the library, each stored once however often it is sent; a row is also the work of spoor-render.';
comment on column spoor.document.id is 'Counts the files.';
comment on column spoor.document.sha256 is 'Of the file''s bytes.';
comment on column spoor.document.file_type is 'The ending of the file''s name, in lower case: pdf, docx, ... What the bytes are is for spoor-render to find out.';
comment on column spoor.document.bytes is 'Size of the file.';
comment on column spoor.document.state is 'How far its pages are.';
comment on column spoor.document.reason is 'Why there are no pages, or not all, a word that spoor-render(8) lists: encrypted, type_mismatch, first_pages, ...; of a pending one, what went wrong last.';
comment on column spoor.document.pages is 'How many pages are shown; null until it is ready.';
comment on column spoor.document.attempts is 'How often a conversion was begun and not given back.';
comment on column spoor.document.not_before is 'No attempt before this time.';
comment on column spoor.document.locked_by is 'Who converts it now.';
comment on column spoor.document.locked_until is 'Until when that is believed.';
comment on column spoor.document.created_at is 'When it was stored.';
comment on column spoor.document.ready_at is 'When the last page was there.';

create index document_pending on spoor.document (id) where state = 'pending';

create table spoor.document_chunk (
    document bigint not null references spoor.document on delete cascade,
    number integer not null check (number >= 0),
    bytes bytea not null,
    primary key (document, number)
);
alter table spoor.document_chunk alter column bytes set storage external; -- such files are packed already
comment on table spoor.document_chunk is 'The bytes of the documents, as they were attached.';
comment on column spoor.document_chunk.document is 'The document.';
comment on column spoor.document_chunk.number is 'Which piece, from 0.';
comment on column spoor.document_chunk.bytes is 'Up to 256 KB; all but the last have as many.';

create table spoor.page (
    document bigint not null references spoor.document on delete cascade,
    number integer not null check (number > 0),
    width integer not null check (width > 0),
    height integer not null check (height > 0),
    image bytea not null,
    image_type text not null default 'image/webp',
    text text,
    primary key (document, number)
);
alter table spoor.page alter column image set storage external;
comment on table spoor.page is 'The pages of the documents, as pictures.';
comment on column spoor.page.document is 'The document.';
comment on column spoor.page.number is 'The page, from 1.';
comment on column spoor.page.width is 'Of the picture, in pixels.';
comment on column spoor.page.height is 'Of the picture, in pixels.';
comment on column spoor.page.image is 'The picture.';
comment on column spoor.page.image_type is 'Its media type.';
comment on column spoor.page.text is 'The words on the page, for screen readers.';

create table spoor.attachment (
    message bigint not null,
    number smallint not null check (number > 0),
    document bigint not null references spoor.document,
    file_name text not null,
    content_type text not null,
    bytes bigint not null,
    stored_at timestamptz not null default now(),
    expires_at timestamptz,
    revoked_at timestamptz,
    primary key (message, number)
);
create index attachment_document on spoor.attachment (document);
comment on table spoor.attachment is 'What the links /d/TOKEN of a mail name: files that were attached to it, or were linked from it.';
comment on column spoor.attachment.message is 'The mail, as in the token; its row may arrive later. Numbers below 4194304 are no mails but entries of the library, spoor.content.';
comment on column spoor.attachment.number is 'Which file of the mail, from 1: the index in the token.';
comment on column spoor.attachment.document is 'What is shown; spoor.replace_document() puts another one here.';
comment on column spoor.attachment.file_name is 'Name of the file, decoded, without a folder.';
comment on column spoor.attachment.content_type is 'Media type that the mail gave.';
comment on column spoor.attachment.bytes is 'Size of the file as it was attached.';
comment on column spoor.attachment.stored_at is 'When it was stored.';
comment on column spoor.attachment.expires_at is 'From when on the link shows nothing; null: never.';
comment on column spoor.attachment.revoked_at is 'Since when the link shows nothing; null: it does.';

create table spoor.content (
    id integer generated always as identity (maxvalue 4194303) primary key,
    added_at timestamptz not null default now(),
    added_by name not null default session_user,
    removed_at timestamptz
);
comment on table spoor.content is 'The library: files to be linked from any mail, added by spoorctl content. The file of an entry is attachment 1 of the mail with its number, which no mail has.';
comment on column spoor.content.id is 'Number of the entry.';
comment on column spoor.content.added_at is 'When it was added.';
comment on column spoor.content.added_by is 'The role that did.';
comment on column spoor.content.removed_at is 'Since when it is not offered any more; mails that were sent keep their links.';

create function spoor.store_document(sha256 bytea, file_type text, bytes bigint, out document bigint, out is_new boolean)
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
begin
    -- waits for whoever stores the same file at this moment
    insert into spoor.document as d (sha256, file_type, bytes)
        values (store_document.sha256, store_document.file_type, store_document.bytes)
        on conflict on constraint document_sha256_file_type_key do nothing returning d.id into document;
    is_new := document is not null;
    if is_new then
        perform pg_notify('spoor_render', '');
    else
        select d.id into document from spoor.document d
            where d.sha256 = store_document.sha256 and d.file_type = store_document.file_type for key share;
    end if;
end $$;
comment on function spoor.store_document(bytea, text, bigint) is 'The number of a file, made now if it is new: its chunks are then to be stored in the same transaction.';

create function spoor.add_content() returns integer
    language sql
    as $$ insert into spoor.content default values returning id $$;
comment on function spoor.add_content() is 'The number of a new entry of the library, whose file follows in the same transaction. For spoorctl content.';

create function spoor.carry_documents(message bigint, owner text, numbers smallint[], from_messages bigint[],
                                      from_numbers smallint[])
    returns setof smallint
    language sql security definer
    set search_path = pg_catalog, pg_temp
    as $$
    insert into spoor.attachment as a (message, number, document, file_name, content_type, bytes, expires_at, revoked_at)
        select $1, w.number, o.document, o.file_name, o.content_type, o.bytes, o.expires_at, o.revoked_at
        from unnest($3, $4, $5) w (number, from_message, from_number)
        join spoor.attachment o on o.message = w.from_message and o.number = w.from_number
        -- a link that somebody else sent stays his: he revokes it, and he is told who reads
        where exists (select from spoor.content c where c.id = w.from_message and c.removed_at is null)
              or exists (select from spoor.message m where m.id = w.from_message and m.owner = $2)
        on conflict do nothing returning a.number $$;
comment on function spoor.carry_documents(bigint, text, smallint[], bigint[], smallint[]) is 'A mail links what an earlier one of the same owner or the library holds: from now on it has links of its own to the same files. Gives the numbers of those that are there.';

create function spoor.revoke_document(document bigint, message bigint default null) returns bigint
    language sql
    as $$ with changed as (
        update spoor.attachment a set revoked_at = now()
        where a.document = $1 and a.message = coalesce($2, a.message) and a.revoked_at is null returning 1)
        select count(*) from changed $$;
comment on function spoor.revoke_document(bigint, bigint) is 'The links to a document show nothing any more: those in one mail, or all. Gives how many. spoor.unrevoke_document() takes it back.';

create function spoor.unrevoke_document(document bigint, message bigint default null) returns bigint
    language sql
    as $$ with changed as (
        update spoor.attachment a set revoked_at = null
        where a.document = $1 and a.message = coalesce($2, a.message) and a.revoked_at is not null returning 1)
        select count(*) from changed $$;
comment on function spoor.unrevoke_document(bigint, bigint) is 'Takes spoor.revoke_document() back, for one mail or for all. Gives how many links show their document again.';

create function spoor.expire_document(document bigint, at_time timestamptz, message bigint default null) returns bigint
    language sql
    as $$ with changed as (
        update spoor.attachment a set expires_at = $2
        where a.document = $1 and a.message = coalesce($3, a.message) returning 1)
        select count(*) from changed $$;
comment on function spoor.expire_document(bigint, timestamptz, bigint) is 'From a time on (null: never) the links to a document show nothing: those in one mail, or all there are now. Gives how many.';

create function spoor.replace_document(document bigint, replacement bigint, message bigint default null) returns bigint
    language sql
    as $$ with changed as (
        update spoor.attachment a set document = d.id, bytes = d.bytes,
            file_name = case when lower(a.file_name) like '%.' || d.file_type then a.file_name
                        else regexp_replace(a.file_name, '\.[^.]*$', '') || '.' || d.file_type end
        from spoor.document d
        where d.id = $2 and a.document = $1 and a.message = coalesce($3, a.message) returning 1)
        select count(*) from changed $$;
comment on function spoor.replace_document(bigint, bigint, bigint) is 'The links to a document show another one from now on, such as a newer version that spoorctl content has added: those in one mail, or all. The name stays, but for an ending that does not fit. Gives how many.';

-- what spoor-stamp needs to store a file, and no more: it reads none
revoke all on function spoor.add_content() from public;
grant execute on function spoor.store_document(bytea, text, bigint), spoor.carry_documents(bigint, text, smallint[], bigint[], smallint[])
    to spoor_milter, spoor_admin;
grant insert on spoor.document_chunk, spoor.attachment to spoor_milter, spoor_admin;
grant insert, update (removed_at) on spoor.content to spoor_admin;
grant update (document, bytes, file_name, expires_at, revoked_at) on spoor.attachment to spoor_admin;

create function spoor.render_again(document bigint default null, reason text default null) returns bigint
    language sql
    as $$ with changed as (
        update spoor.document d set state = 'pending', reason = null, attempts = 0, not_before = now()
        where d.state in ('download_only', 'failed') and d.id = coalesce($1, d.id) and d.reason = coalesce($2, d.reason) returning 1),
        told as (select pg_notify('spoor_render', '') from (select 1 from changed limit 1) any_row)
        select (select count(*) from changed) + 0 * (select count(*) from told) $$;
comment on function spoor.render_again(bigint, text) is 'Documents without pages are converted anew: one, or all that have this reason, such as no_sandbox once there is one. Gives how many.';

-- spoor-render: reads files, writes pages and how far it is, and sees no mail
do $$
begin
    if not exists (select from pg_catalog.pg_roles where rolname = 'spoor_render') then
        create role spoor_render login;
    end if;
exception when duplicate_object or unique_violation then
    null; -- made by an installation in another database at the same moment
end $$;
revoke all on function spoor.render_again(bigint, text) from public;
grant usage on schema spoor to spoor_render;
grant select on spoor.schema, spoor.document, spoor.document_chunk to spoor_render;
grant update (state, reason, pages, attempts, not_before, locked_by, locked_until, ready_at) on spoor.document to spoor_render;
grant insert, update, delete on spoor.page to spoor_render;
grant select on spoor.page to spoor_render; -- for ON CONFLICT
grant update (state, reason, attempts, not_before) on spoor.document to spoor_admin;
grant execute on function spoor.render_again(bigint, text) to spoor_admin;

-- Who read which: what the viewer of spoor-pixeld tells

create table spoor.document_setting (
    visit_gap interval not null default '10 min' check (visit_gap >= '0'),
    read_after interval not null default '1 s' check (read_after between '0' and '1 min'),
    confirm_after interval not null default '3 s' check (confirm_after between '0' and '10 min'),
    crowd_links integer not null default 3 check (crowd_links >= 2),
    crowd_within interval not null default '1 min' check (crowd_within between '0' and '1 h')
);
create unique index document_setting_is_one_row on spoor.document_setting ((true));
insert into spoor.document_setting default values;
comment on table spoor.document_setting is 'One row: what counts as reading a document. Change it with update; what was told in the feed stays.';
comment on column spoor.document_setting.visit_gap is 'Who comes back to a document sooner than this after having left it makes the same visit.';
comment on column spoor.document_setting.read_after is 'A page that was in sight for less was only passed.';
comment on column spoor.document_setting.confirm_after is 'A document that was in sight for so long, or two pages of it for read_after each, and by which mouse, keys or touch were used, was opened by a person.';
comment on column spoor.document_setting.crowd_links is 'Links of so many recipients opened from one address within crowd_within: probably a scanner.';
comment on column spoor.document_setting.crowd_within is 'See crowd_links.';

create table spoor.document_view (
    view uuid primary key,
    started_at timestamptz not null,
    last_at timestamptz not null,
    confirmed_at timestamptz,
    message bigint not null,
    document bigint not null,
    recipient integer not null,
    visible_ms integer not null,
    trusted integer not null,
    number smallint not null,
    verdict "char" not null,
    automated boolean not null,
    crowd boolean not null default false,
    unsettled boolean not null default true,
    address inet
);
create index document_view_link on spoor.document_view (message, number, recipient, last_at);
create index document_view_address on spoor.document_view (address, started_at) where address is not null;
create index document_view_unsettled on spoor.document_view (view) where unsettled;
comment on table spoor.document_view is 'Each opening of a document in a browser, as its script told it: the raw facts. spoor.document_view_class() says what they mean.';
comment on column spoor.document_view.view is 'Made when the page was served; tells it from all others.';
comment on column spoor.document_view.started_at is 'When the page was served.';
comment on column spoor.document_view.last_at is 'When it last told something.';
comment on column spoor.document_view.confirmed_at is 'Since when a person is believed to read; see spoor.document_setting.confirm_after.';
comment on column spoor.document_view.message is 'The mail.';
comment on column spoor.document_view.document is 'Which document was shown.';
comment on column spoor.document_view.recipient is 'Key of the recipient; 0: one of the recipients.';
comment on column spoor.document_view.visible_ms is 'How long it was in sight, in milliseconds; without the time in which nobody moved anything.';
comment on column spoor.document_view.trusted is 'Uses of mouse, wheel, keys and touch that no script has made up.';
comment on column spoor.document_view.number is 'Which attachment of the mail.';
comment on column spoor.document_view.verdict is 'As in spoor.event: what program and network said.';
comment on column spoor.document_view.automated is 'Whether the browser said that a program drives it.';
comment on column spoor.document_view.crowd is 'Whether it was opened together with those of other recipients; see spoor.document_setting.crowd_links.';
comment on column spoor.document_view.unsettled is 'Whether spoor.judge_documents() has to look at it.';
comment on column spoor.document_view.address is 'Network address of the client, where it is kept.';

create table spoor.document_view_page (
    view uuid not null references spoor.document_view on delete cascade,
    first_at timestamptz not null,
    last_at timestamptz not null,
    page integer not null,
    ms integer not null,
    told boolean not null default false,
    primary key (view, page)
);
comment on table spoor.document_view_page is 'How long each page was in sight. The page with the largest part of the window counts, and nothing while another window or tab is in front.';
comment on column spoor.document_view_page.view is 'The view.';
comment on column spoor.document_view_page.first_at is 'When it was first told.';
comment on column spoor.document_view_page.last_at is 'When it last grew.';
comment on column spoor.document_view_page.page is 'The page, from 1.';
comment on column spoor.document_view_page.ms is 'How long so far, in milliseconds.';
comment on column spoor.document_view_page.told is 'Whether the feed has it.';

create table spoor.document_event (
    record bigint not null,
    document bigint not null,
    view uuid,
    spool smallint not null,
    page smallint,
    primary key (spool, record)
);
create index document_event_view on spoor.document_event (view) where view is not null;
comment on table spoor.document_event is 'What only events of documents have; see spoor.event.';
comment on column spoor.document_event.record is 'Record of the event. The pages that one record tells of have the numbers behind it.';
comment on column spoor.document_event.document is 'Which document was shown.';
comment on column spoor.document_event.view is 'In which view; null: not known.';
comment on column spoor.document_event.spool is 'Spool of the event.';
comment on column spoor.document_event.page is 'Which page was read.';

create function spoor.document_view_class(view spoor.document_view) returns text
    language sql immutable strict parallel safe
    as $$ select case
        when view.verdict = 's' then 'self'
        when view.automated or view.verdict = 'b' or view.crowd and view.confirmed_at is null then 'automatic'
        when view.confirmed_at is not null and not view.crowd then 'confirmed'
        else 'viewed' end $$;
comment on function spoor.document_view_class(spoor.document_view) is 'What a view was: confirmed (a person), viewed (by a browser, possibly an automatic one), automatic, or self.';

create function spoor.same_visit(one spoor.document_view) returns setof spoor.document_view
    language sql stable rows 1
    as $$
    select o from spoor.document_view o cross join spoor.document_setting s
    where o.message = ($1).message and o.number = ($1).number and o.recipient = ($1).recipient and o.view <> ($1).view
          and (o.recipient <> 0 or o.address = ($1).address)
          and o.last_at >= ($1).started_at - s.visit_gap and o.started_at <= ($1).last_at + s.visit_gap $$;
comment on function spoor.same_visit(spoor.document_view) is 'Other views of the same link that belong to the same visit, for they are no further apart than spoor.document_setting.visit_gap.';

create function spoor.is_confirmed(view spoor.document_view) returns boolean
    language sql stable strict
    as $$ select view.trusted > 0 and not view.automated and view.verdict <> 'b'
        and (view.visible_ms * interval '1 ms' >= s.confirm_after
             or (select count(*) >= 2 from spoor.document_view_page p
                 where p.view = view.view and p.ms * interval '1 ms' >= s.read_after))
        from spoor.document_setting s $$;
comment on function spoor.is_confirmed(spoor.document_view) is 'Whether a view is a person''s by now.';

create function spoor.take_pages(view spoor.document_view, at_time timestamptz, pages integer[], times integer[]) returns void
    language sql
    as $$
    insert into spoor.document_view_page as p (view, first_at, last_at, page, ms)
        select ($1).view, $2, $2, t.page, max(t.ms)
        from unnest($3, $4) t (page, ms)
        where t.ms > 0 and t.page between 1 and coalesce((select d.pages from spoor.document d where d.id = ($1).document), 0)
        group by t.page
        on conflict (view, page) do update
            set last_at = case when excluded.ms > p.ms then greatest(p.last_at, excluded.last_at) else p.last_at end,
                ms = greatest(p.ms, excluded.ms) $$;
comment on function spoor.take_pages(spoor.document_view, timestamptz, integer[], integer[]) is 'Keeps the largest time that was told of each page: they may come twice and out of order. For spoor.take_beacons().';

create function spoor.pages_to_tell(view spoor.document_view, pages integer[], current integer) returns table (page integer, place integer)
    language sql
    as $$
    with left_now as (
        update spoor.document_view_page p set told = true
        from spoor.document_setting s
        where p.view = ($1).view and not p.told and p.page <> $3 and p.page = any ($2)
              and p.ms * interval '1 ms' >= s.read_after
        returning p.page)
    select l.page, array_position($2, l.page) from left_now l
    where not exists (select from spoor.same_visit($1) o
                      join spoor.document_view_page q on q.view = o.view and q.page = l.page and q.told)
    order by l.page $$;
comment on function spoor.pages_to_tell(spoor.document_view, integer[], integer) is 'The pages that were read and left, and are not in the feed for this visit yet; with their places in the list. For spoor.take_beacons().';

create function spoor.take_beacons(spools smallint[], records bigint[], times bigint[], messages bigint[], numbers smallint[],
                                   recipients integer[], verdicts text[], addresses inet[], views uuid[], documents bigint[],
                                   starts bigint[], visible integer[], trusted integer[], automated boolean[],
                                   currents integer[], pages text[], milliseconds text[])
    returns table (record bigint, place integer)
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
declare
    one record;
    seen spoor.document_view;
    is_new boolean;
    is_news boolean;
    told record;
begin
    -- in the order of the views, so that two loaders do not wait for each other
    for one in
        select b.*, spoor.from_microseconds(b.at) as at_time, b.page_list::integer[] as pages, b.time_list::integer[] as ms
        from unnest(spools, records, times, messages, numbers, recipients, verdicts, addresses, views, documents, starts,
                    visible, trusted, automated, currents, take_beacons.pages, milliseconds)
            b (spool, record, at, message, number, recipient, verdict, address, view, document, start, visible, trusted,
               automated, current, page_list, time_list)
        order by b.view, b.record
    loop
        insert into spoor.document_view as v (view, started_at, last_at, message, document, recipient, visible_ms, trusted,
                                              number, verdict, automated, address)
            values (one.view, least(spoor.from_microseconds(one.start), one.at_time), one.at_time, one.message, one.document,
                    one.recipient, one.visible, one.trusted, one.number, one.verdict::"char", one.automated, one.address)
            on conflict on constraint document_view_pkey do update
                set last_at = greatest(v.last_at, excluded.last_at), visible_ms = greatest(v.visible_ms, excluded.visible_ms),
                    trusted = greatest(v.trusted, excluded.trusted), automated = v.automated or excluded.automated
            returning v.xmax = 0 into is_new;
        select v.* into seen from spoor.document_view v where v.view = one.view;
        perform spoor.take_pages(seen, one.at_time, one.pages, one.ms);
        is_news := is_new and not exists (select from spoor.same_visit(seen));
        if is_news then
            insert into spoor.document_event (spool, record, view, document) values (one.spool, one.record, one.view, one.document);
            record := one.record;
            place := 0;
            return next;
        end if;
        for told in select * from spoor.pages_to_tell(seen, one.pages, one.current) loop
            is_news := true;
            record := one.record;
            place := told.place;
            insert into spoor.document_event (spool, record, view, document, page)
                values (one.spool, one.record + told.place, one.view, one.document, told.page);
            return next;
        end loop;
        if is_news or (seen.confirmed_at is null and spoor.is_confirmed(seen)) then
            update spoor.document_view v set unsettled = true,
                    confirmed_at = coalesce(v.confirmed_at, case when spoor.is_confirmed(seen) then one.at_time end)
                where v.view = one.view;
        end if;
    end loop;
end $$;
comment on function spoor.take_beacons(smallint[], bigint[], bigint[], bigint[], smallint[], integer[], text[], inet[], uuid[], bigint[], bigint[], integer[], integer[], boolean[], integer[], text[], text[]) is 'What the scripts of viewers told, by a loader. Gives which of it is news for the feed: a document was opened (place 0), or the page that stands at this place of its list was read.';

create function spoor.take_document_events(spools smallint[], records bigint[], views uuid[], documents bigint[], pages smallint[])
    returns void
    language sql security definer
    set search_path = pg_catalog, pg_temp
    as $$
    insert into spoor.document_event (spool, record, view, document, page)
        select * from unnest($1, $2, $3, $4, $5) e (spool, record, view, document, page);
    update spoor.document_view v set unsettled = true
        where v.view in (select f.view from spoor.document_view f where f.view = any ($3) order by f.view for update) $$;
comment on function spoor.take_document_events(smallint[], bigint[], uuid[], bigint[], smallint[]) is 'Downloads, and pages that were asked for without a script, by a loader.';

-- What the viewer shows. A link that is revoked, expired or unknown has no row.

create function spoor.shown_attachment(message bigint, number smallint)
    returns table (document bigint, sha256 text, file_name text, file_type text, bytes bigint, state text, reason text, pages integer)
    language sql stable security definer rows 1
    set search_path = pg_catalog, pg_temp
    as $$
    select d.id, encode(d.sha256, 'hex'), a.file_name, d.file_type, d.bytes, d.state::text, d.reason, d.pages
    from spoor.attachment a join spoor.document d on d.id = a.document
    where a.message = $1 and a.number = $2 and a.revoked_at is null and (a.expires_at is null or a.expires_at > now()) $$;
comment on function spoor.shown_attachment(bigint, smallint) is 'What stands behind a link to a document; no row when it shows nothing.';

create function spoor.shown_pages(message bigint, number smallint, only_page integer default null)
    returns table (page integer, width integer, height integer, text text)
    language sql stable security definer rows 20
    set search_path = pg_catalog, pg_temp
    as $$
    select p.number, p.width, p.height,
           -- what comes behind so much text has to be asked for by itself
           case when sum(coalesce(octet_length(p.text), 0)) over (order by p.number) <= 100000 or $3 is not null
               then left(coalesce(p.text, ''), 65536) end
    from spoor.shown_attachment($1, $2) a join spoor.page p on p.document = a.document
    where a.state = 'ready' and ($3 is null or p.number = $3) order by p.number $$;
comment on function spoor.shown_pages(bigint, smallint, integer) is 'The pages of a document behind a link, without their pictures, or one of them.';

create function spoor.shown_image(message bigint, number smallint, page integer) returns table (image bytea, image_type text)
    language sql stable security definer rows 1
    set search_path = pg_catalog, pg_temp
    as $$
    select p.image, p.image_type from spoor.shown_attachment($1, $2) a
    join spoor.page p on p.document = a.document and p.number = $3
    where a.state = 'ready' $$;
comment on function spoor.shown_image(bigint, smallint, integer) is 'The picture of a page of a document behind a link.';

create function spoor.shown_chunk(message bigint, number smallint, document bigint, chunk integer) returns bytea
    language sql stable security definer
    set search_path = pg_catalog, pg_temp
    as $$
    select c.bytes from spoor.shown_attachment($1, $2) a
    join spoor.document_chunk c on c.document = a.document and c.number = $4
    where a.document = $3 $$;
comment on function spoor.shown_chunk(bigint, smallint, bigint, integer) is 'A piece of the file behind a link, if that still is this document.';

-- Words for people

create function spoor.duration_words(ms bigint) returns text
    language sql immutable strict parallel safe
    as $$ select case
        when ms < 1000 then '< 1 s'
        when ms < 60000 then ms / 1000 || ' s'
        when ms < 3600000 then ms / 60000 || ' min' || case when ms < 600000 and ms / 1000 % 60 > 0 then ' ' || ms / 1000 % 60 || ' s' else '' end
        else ms / 3600000 || ' h' || case when ms / 60000 % 60 > 0 then ' ' || ms / 60000 % 60 || ' min' else '' end end $$;
comment on function spoor.duration_words(bigint) is 'So many milliseconds in words: 8 s, 2 min 5 s, 1 h 3 min.';

create function spoor.document_detail(message bigint, number smallint, spool smallint, record bigint) returns text
    language sql stable parallel safe
    as $$
    select case when d.page is null then a.file_name
        else 'page ' || d.page || ' of ' || a.file_name || coalesce(', ' || spoor.duration_words(p.ms), '') end
    from spoor.attachment a
    left join spoor.document_event d on d.spool = $3 and d.record = $4
    left join spoor.document_view_page p on p.view = d.view and p.page = d.page
    where a.message = $1 and a.number = $2 $$;
comment on function spoor.document_detail(bigint, smallint, smallint, bigint) is 'What the feed says of an event of a document: its name, and which page was read for how long so far.';

-- Hindsight: what was opened by a person, and what by many links at once

create function spoor.find_document_crowds(views uuid[]) returns void
    language sql
    set search_path = pg_catalog, pg_temp
    as $$
    with crowds as (
        select v.address, v.started_at from spoor.document_view v cross join spoor.document_setting s
        where v.view = any ($1) and v.address is not null
              -- behind a proxy that is not trusted all the world has one private address
              and not v.address <<= any (array['10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16',
                  '172.16.0.0/12', '192.168.0.0/16', '::1/128', 'fc00::/7', 'fe80::/10']::inet[])
              and (select count(distinct (o.message, o.recipient)) from spoor.document_view o
                   where o.address = v.address and o.started_at between v.started_at - s.crowd_within and v.started_at + s.crowd_within)
                  >= s.crowd_links)
    update spoor.document_view v set crowd = true, unsettled = true
        from crowds c cross join spoor.document_setting s
        where v.address = c.address and not v.crowd
              and v.started_at between c.started_at - s.crowd_within and c.started_at + s.crowd_within $$;
comment on function spoor.find_document_crowds(uuid[]) is 'Marks the views that were opened together with those of several other recipients from one address. For spoor.judge_documents().';

create function spoor.judge_documents(most integer) returns void
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp
    as $$
declare
    fresh uuid[];
begin
    fresh := array(select v.view from spoor.document_view v where v.unsettled order by v.view limit most for update skip locked);
    if cardinality(fresh) = 0 then
        return;
    end if;
    perform spoor.find_document_crowds(fresh);
    -- what spoor.judge_own() knows of an event it knows of the view
    update spoor.document_view v set verdict = 's'
        where v.view = any (fresh) and v.verdict <> 's'
              and exists (select from spoor.document_event d
                          join spoor.judged_event e on e.message = v.message and e.spool = d.spool and e.record = d.record
                          where d.view = v.view and e.verdict = 's');
    insert into spoor.event_verdict (spool, record, verdict, reason)
        select e.spool, e.record, w.verdict, spoor.reason_number(w.reason)
        from spoor.document_view v
        cross join lateral spoor.document_view_class(v) c (class)
        cross join lateral (values ('confirmed', 'h'::"char", 'confirmed'), ('self', 's', 'own_view'), ('automatic', 'b', case when v.crowd then 'crowd' else 'automated' end),
                                   ('viewed', 'u', case when v.crowd then 'crowd' end)) w (class, verdict, reason)
        -- one view tells of its whole visit: who waited for the pages to be made has moved nothing there
        join spoor.document_event d on d.view = v.view
             or c.class = 'confirmed' and d.view = any (array(select o.view from spoor.same_visit(v) o
                                                              where spoor.document_view_class(o) = 'viewed'))
        join spoor.judged_event e on e.message = v.message and e.spool = d.spool and e.record = d.record
        where v.view = any (fresh) and w.class = c.class and w.reason is not null and e.kind in ('O', 'R', 'D')
              and e.verdict <> 's' and e.verdict <> w.verdict;
    update spoor.document_view v set unsettled = false where v.view = any (fresh);
end $$;
comment on function spoor.judge_documents(integer) is 'Judges again what was opened, read and downloaded, by what is known of its view now. For spoor.judge_hindsight().';

revoke all on all functions in schema spoor from public;
grant execute on function spoor.take_beacons(smallint[], bigint[], bigint[], bigint[], smallint[], integer[], text[], inet[], uuid[], bigint[], bigint[], integer[], integer[], boolean[], integer[], text[], text[]),
    spoor.take_document_events(smallint[], bigint[], uuid[], bigint[], smallint[]),
    spoor.shown_attachment(bigint, smallint), spoor.shown_pages(bigint, smallint, integer),
    spoor.shown_image(bigint, smallint, integer), spoor.shown_chunk(bigint, smallint, bigint, integer) to spoor_pixeld;
grant update on spoor.document_setting to spoor_admin;
