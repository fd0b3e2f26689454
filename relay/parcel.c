/* SPDX-License-Identifier: BSD-2-Clause */
/* parcel - see parcel.h */

#include "relay/parcel.h"

#include <stdarg.h>
#include <stdio.h>

void parcel_end(struct parcel *parcel, enum parcel_outcome outcome, const char *format, ...)
{
    va_list args;

    parcel->outcome = outcome;
    va_start(args, format);
    vsnprintf(parcel->result, sizeof parcel->result, format, args);
    va_end(args);
}
