/*
 * Third-party code includes <stdlib.h> out of habit; it calls nothing of it in
 * our configuration, so there is nothing to declare.
 */
#pragma once

#include <stddef.h>
