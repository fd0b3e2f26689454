-- SPDX-License-Identifier: BSD-2-Clause
-- Documents: files that left a mail, their pages, and what the links to them show.

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

create trigger epoch_ends after update of revoked_at on spoor.attachment for each statement execute function spoor.epoch_ends();

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
    language plpgsql
    set search_path = pg_catalog, pg_temp
    as $$
declare
    changed bigint;
begin
    if not exists (select from spoor.document d where d.id = replacement) then
        raise exception 'there is no document %', coalesce(replacement::text, 'null')
            using errcode = 'invalid_parameter_value', hint = 'table spoor.document_report names those that were sent; spoorctl content add stores another.';
    end if;
    update spoor.attachment a set document = d.id, bytes = d.bytes,
            file_name = case when lower(a.file_name) like '%.' || d.file_type then a.file_name
                        else regexp_replace(a.file_name, '\.[^.]*$', '') || '.' || d.file_type end
        from spoor.document d
        where d.id = replacement and a.document = replace_document.document and a.message = coalesce(replace_document.message, a.message);
    get diagnostics changed = row_count;
    return changed;
end $$;
comment on function spoor.replace_document(bigint, bigint, bigint) is 'The links to a document show another one from now on, such as a newer version that spoorctl content has added: those in one mail, or all. The name stays, but for an ending that does not fit. Gives how many.';

-- what spoor-stamp needs to store a file, and no more: it reads none
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

-- spoor-render: reads files, writes pages and how far it is, and sees no mail
grant select on spoor.schema, spoor.shard, spoor.document, spoor.document_chunk to spoor_render;
grant update (state, reason, pages, attempts, not_before, locked_by, locked_until, ready_at) on spoor.document to spoor_render;
grant insert, update, delete on spoor.page to spoor_render;
grant select on spoor.page to spoor_render; -- for ON CONFLICT
grant update (state, reason, attempts, not_before) on spoor.document to spoor_admin;
grant execute on function spoor.shown_attachment(bigint, smallint), spoor.shown_pages(bigint, smallint, integer),
    spoor.shown_image(bigint, smallint, integer), spoor.shown_chunk(bigint, smallint, bigint, integer) to spoor_pixeld;
