#!/bin/bash
# One way to do it; runs in the student's machine as root, in ~/work.
set -e

# The workers of nginx are www-data and cannot enter /root, so the pages live elsewhere.
mkdir -p /srv/site
cp -r site/. /srv/site/

# The configuration is read by nginx's master process, which is root; a link will do.
ln -sf ~/work/site.conf /etc/nginx/sites-enabled/site.conf
rm -f /etc/nginx/sites-enabled/default

nginx -t
nginx
