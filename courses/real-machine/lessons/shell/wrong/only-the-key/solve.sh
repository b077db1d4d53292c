#!/bin/bash
# The file is closed, and the folder around it is still open.
chmod 600 keys/backup.key
