#!/bin/bash
# The same mode for files and folders: without x nobody can enter the folders, not even their owner.
chmod -R 600 keys
chmod -R 644 share
