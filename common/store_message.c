/* SPDX-License-Identifier: BSD-2-Clause */
/* store_message - see store_message.h */

#include "common/store_message.h"

const struct db_statement store_insert_messages = {
    "insert_messages",
    "insert into spoor.message (id, sent_at, size, level, pixels, owner, sender, envelope_sender, subject,"
    "  sent_message_id, client_message_id, campaign, host, queue_id, sent_to)"
    " select id, spoor.from_microseconds(at), size, level::spoor.tracking_level, pixels, owner, sender, envelope_sender,"
    "  subject, sent_message_id, client_message_id, campaign, host, queue_id, sent_to"
    " from " STORE_MESSAGE_ROWS
    " on conflict (id) do nothing", STORE_MESSAGE_COLUMNS};

void store_message_row(struct row_set *row, const struct record_message *message)
{
    row_set_integer(row, (int64_t)message->id);
    row_set_integer(row, message->time_us);
    row_set_integer(row, (int64_t)message->size);
    row_set_text(row, slice_str(tracking_level_name(message->level)));
    row_set_integer(row, message->pixels);
    row_set_text(row, message->owner);
    row_set_text_or_null(row, message->sender);
    row_set_text_or_null(row, message->envelope_sender);
    row_set_text_or_null(row, message->subject);
    row_set_text_or_null(row, message->sent_message_id);
    row_set_text_or_null(row, message->client_message_id);
    row_set_text_or_null(row, message->campaign);
    row_set_text_or_null(row, message->host);
    row_set_text_or_null(row, message->queue_id);
    row_set_integer(row, message->sent_to);
}

const struct db_statement store_insert_recipients = {
    "insert_recipients",
    "insert into spoor.recipient (message, address, key, original)"
    " select * from unnest($1::bigint[], $2::text[], $3::integer[], $4::text[]) on conflict (message, address) do nothing", STORE_RECIPIENT_COLUMNS};

void store_recipient_row(struct row_set *row, uint64_t message, const struct record_recipient *recipient, struct slice original)
{
    row_set_integer(row, (int64_t)message);
    row_set_text(row, recipient->address);
    row_set_integer(row, (int32_t)recipient->key);
    row_set_text_or_null(row, original);
}

const struct db_statement store_insert_links = {
    "insert_links",
    "insert into spoor.link (message, number, destination)"
    " select * from unnest($1::bigint[], $2::smallint[], $3::text[]) on conflict (message, number) do nothing", STORE_LINK_COLUMNS};

void store_link_row(struct row_set *row, uint64_t message, const struct record_link *link)
{
    row_set_integer(row, (int64_t)message);
    row_set_integer(row, (int16_t)link->index);
    row_set_text(row, link->destination);
}

const struct db_statement store_learn_networks = {
    "learn_networks",
    "select spoor.learn_networks($1::text[], $2::inet[], array(select spoor.from_microseconds(at)"
    " from unnest($3::bigint[]) as row (at)))", STORE_NETWORK_COLUMNS};

void store_network_row(struct row_set *row, const struct record_message *message)
{
    if (message->submitted_from_bytes == 0)
        return;
    row_set_text(row, message->owner);
    row_set_address(row, message->submitted_from, message->submitted_from_bytes);
    row_set_integer(row, message->time_us);
}
