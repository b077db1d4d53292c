#!/bin/bash
# The solution's machine with another site.conf.
nginx -t && nginx -s reload
sleep 0.5
