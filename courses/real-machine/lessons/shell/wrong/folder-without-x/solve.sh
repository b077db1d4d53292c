#!/bin/bash
# The same mode for files and folders. Without x nobody can enter a folder, not even its owner:
# chmod -R takes the x away first and then cannot get at the files any more.
chmod -R 600 keys || true
chmod -R 644 share || true
