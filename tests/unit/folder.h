/* SPDX-License-Identifier: BSD-2-Clause */
/* folder - a temporary folder for a test. */
#ifndef TESTS_UNIT_FOLDER_H
#define TESTS_UNIT_FOLDER_H

enum { PATH_SIZE = 256 };

void folder_make(char path[PATH_SIZE]); /* ends the test program when it cannot */
void folder_remove(const char *path);   /* with all that is in it, two levels deep */

#endif
