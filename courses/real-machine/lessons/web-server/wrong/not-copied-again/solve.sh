#!/bin/bash
# The heading was changed after the pages had been copied.
mkdir -p /srv/site
cp -r site/. /srv/site/
sed -i 's/Your heading here/Hello/' site/index.html
printf 'server {\n    listen 8000;\n    root /srv/site;\n}\n' >site.conf
ln -s ~/work/site.conf /etc/nginx/sites-enabled/
rm /etc/nginx/sites-enabled/default
nginx
