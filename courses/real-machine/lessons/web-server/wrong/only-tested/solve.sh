#!/bin/bash
# Configured and tested, and never started.
mkdir -p /srv/site
cp -r site/. /srv/site/
printf 'server {\n    listen 8000;\n    root /srv/site;\n}\n' >site.conf
ln -s ~/work/site.conf /etc/nginx/sites-enabled/
rm /etc/nginx/sites-enabled/default
nginx -t
